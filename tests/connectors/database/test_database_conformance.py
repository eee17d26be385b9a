"""Every promise of the conformance kit, on this connector."""

from connectors.database.sandbox import DatabaseSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("database", DatabaseSandbox))
