"""The reference keeps every promise; the mutants are judged against it."""

from samspil.testing.conformance import conformance
from samspil.testing.mutants.reference import reference

test_conformance = conformance(reference())
