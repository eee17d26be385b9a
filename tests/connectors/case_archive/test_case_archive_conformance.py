"""Every promise of the kit, tried on the case archive."""

from connectors.case_archive.sandbox import CaseArchiveSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("case_archive", CaseArchiveSandbox))
