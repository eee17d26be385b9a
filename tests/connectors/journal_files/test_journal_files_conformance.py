"""Every promise of the conformance kit, on this connector."""

from connectors.journal_files.sandbox import JournalFilesSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("journal_files", JournalFilesSandbox))
