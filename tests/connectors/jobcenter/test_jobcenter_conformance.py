"""Every promise of the conformance kit, on this connector."""

from connectors.jobcenter.sandbox import JobcenterSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("jobcenter", JobcenterSandbox))
