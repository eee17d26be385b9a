"""The shared schemas: what systems exchange, in words that belong to none of them. Each is one struct in one file."""

from __future__ import annotations

from msgspec import Struct

from schemas.action_plan import ActionPlan
from schemas.activity import Activity
from schemas.assessment import Assessment
from schemas.attendance import Attendance
from schemas.case import Case
from schemas.company import Company
from schemas.course_order import CourseOrder
from schemas.document import Document
from schemas.journal_note import JournalNote
from schemas.meeting import Meeting
from schemas.person import Person
from schemas.placement import Placement
from schemas.status_note import StatusNote

SCHEMAS: dict[str, type[Struct]] = {
    "action_plan": ActionPlan,
    "activity": Activity,
    "assessment": Assessment,
    "attendance": Attendance,
    "case": Case,
    "company": Company,
    "course_order": CourseOrder,
    "document": Document,
    "journal_note": JournalNote,
    "meeting": Meeting,
    "person": Person,
    "placement": Placement,
    "status_note": StatusNote,
}
