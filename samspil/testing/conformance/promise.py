"""A promise: one thing that every connector keeps, as a function that tries it.

A promise is a plain function with the decorator :func:`promise`. Its docstring is its text for people, its module its
group. It raises :class:`Broken` through :func:`require`, whose message says what was wrong without a person's value.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar

Per = Literal["connector", "read", "write", "incremental", "both"]

GROUPS = (
    "contract",
    "check",
    "reading",
    "paging",
    "incremental",
    "deleting",
    "writing",
    "batches",
    "resending",
    "remembering",
    "two_way",
    "failing",
    "answers",
    "privacy",
    "storage",
    "evidence",
    "mapping",
)

F = TypeVar("F", bound=Callable[..., None])


class Broken(AssertionError):
    """A connector does not keep a promise. The message never has a record's value in it."""


class Promise(NamedTuple):
    """One promise. ``per``: tried once, or for each schema the connector reads, writes, reads incrementally, or both.

    ``needs`` are names of what must be there (see ``samspil.testing.conformance.subject``), else it does not apply.
    ``waits``: it takes real time. ``one_schema``: the first schema will do.
    """

    name: str
    group: str
    text: str
    per: Per
    needs: frozenset[str]
    waits: bool
    one_schema: bool
    keep: Callable[..., None]


_FOUND: dict[str, Promise] = {}


def promise(
    per: Per = "connector",
    *,
    needs: Collection[str] = (),
    waits: bool = False,
    one_schema: bool = False,
) -> Callable[[F], F]:
    """Enter a function ``keep(trial)`` or ``keep(trial, schema)`` as a promise; see :class:`Promise`."""

    def enter(keep: F) -> F:
        name, group = keep.__name__, keep.__module__.rpartition(".")[2]
        if name in _FOUND and _FOUND[name].keep.__module__ != keep.__module__:
            raise ValueError(f"two promises are called {name}")
        if group not in GROUPS or not keep.__doc__:
            raise ValueError(f"{name}: a promise has a docstring and lies in one of the groups' modules")
        text = " ".join(keep.__doc__.split())
        _FOUND[name] = Promise(name, group, text, per, frozenset(needs), waits, one_schema, keep)
        return keep

    return enter


def require(kept: object, message: str) -> None:
    """Raise Broken unless ``kept``."""
    if not kept:
        raise Broken(message)


@cache
def promises() -> Mapping[str, Promise]:
    """Every promise of the kit by name, in the order of the groups."""
    package: Any = importlib.import_module("samspil.testing.conformance")
    there = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for group in GROUPS:
        if group in there:
            importlib.import_module(f"{package.__name__}.{group}")
    return dict(sorted(_FOUND.items(), key=lambda item: GROUPS.index(item[1].group)))
