"""The company list keeps every promise of a connector that concerns it."""

from __future__ import annotations

from connectors.company_list.sandbox import CompanyListSandbox
from samspil.testing.conformance import Subject, conformance

test_conformance = conformance(Subject("company_list", CompanyListSandbox))
