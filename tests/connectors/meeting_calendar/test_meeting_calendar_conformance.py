"""Every promise of the conformance kit, kept by the declared calendar."""

from connectors.meeting_calendar.sandbox import MeetingCalendarSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("meeting_calendar", MeetingCalendarSandbox))
