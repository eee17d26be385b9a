"""Mutants: connectors and pieces of the engine that are broken on purpose, to prove the conformance kit.

``python -m samspil.testing.mutants`` breaks the reference and every connector of the repository in each way there is,
one at a time, and shows which promises notice. A mutant that no promise notices has survived, a promise that notices
none proves nothing; either makes the run fail, and so does a connector that breaks a promise when nobody broke it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache

from samspil.testing.mutants.mutant import MUTANTS, Mutant

_MODULES = (
    "contract",
    "check",
    "reading",
    "paging",
    "incremental",
    "writing",
    "resending",
    "network",
    "batches",
    "remembering",
    "edges",
    "privacy",
    "unseen",
    "pieces",
    "hostile",
)


@cache
def mutants() -> Mapping[str, Mutant]:
    """Every mutant by name."""
    for name in _MODULES:
        importlib.import_module(f"{__name__}.{name}")
    return dict(MUTANTS)
