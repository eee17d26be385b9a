"""The CPR extract keeps every promise of a connector that concerns it."""

from __future__ import annotations

from connectors.cpr_extract.sandbox import CprExtractSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("cpr_extract", CprExtractSandbox))
