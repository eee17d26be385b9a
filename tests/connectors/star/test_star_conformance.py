"""Every promise of the conformance kit, on this connector."""

from connectors.star.sandbox import StarSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("star", StarSandbox))
