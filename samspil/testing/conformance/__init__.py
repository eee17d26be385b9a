"""The conformance kit: what every connector promises, tried over real sockets against its own sandbox.

A connector's whole test file::

    from connectors.journal_rest.sandbox import JournalRestSandbox
    from samspil.testing.conformance import Subject, conformance

    test_conformance = conformance(Subject("journal_rest", JournalRestSandbox))

pytest shows one test for each promise and schema, ``reading.keys_are_unique[attendance]``. A promise that does not
concern the connector is not collected; ``pytest --samspil-why`` prints the reasons. What a connector cannot keep for
now is skipped with a reason and a last day, after which the skip itself fails::

    Subject(..., skips=[Skip("a_busy_system_is_unavailable", "the vendor answers 200", date(2027, 3, 31))])

``pytest --samspil-results FILE`` writes what passed; a connector's level is computed from that file, never declared
(see ``levels``), and ``samspil connectors`` shows it. A promise is a function with a docstring in one of the modules
named in ``promise.GROUPS``; for each there is at least one hostile connector that breaks it, and
``python -m samspil.testing.mutants`` shows that it is caught.
"""

from __future__ import annotations

from samspil.testing.conformance.case import Case, cases
from samspil.testing.conformance.collected import conformance
from samspil.testing.conformance.promise import Broken, Promise, promise, promises, require
from samspil.testing.conformance.subject import Skip, Subject
from samspil.testing.conformance.trial import Trial

__all__ = [
    "Broken",
    "Case",
    "Promise",
    "Skip",
    "Subject",
    "Trial",
    "cases",
    "conformance",
    "promise",
    "promises",
    "require",
]
