"""Every promise of the conformance kit, on this connector."""

from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("journal_rest", JournalRestSandbox))
