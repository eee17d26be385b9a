"""A mutant: a way to break any connector, or a piece of the engine, and the promises that must notice."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from samspil.connector import Connector
from samspil.testing.conformance.subject import Subject

Make = Callable[[type[Connector]], type[Connector]]


class Mutant(NamedTuple):
    """``aims`` are the promises that it breaks. ``connector`` makes the broken class, ``mappings`` a broken folder of
    mappings of the subject's, ``engine`` breaks a piece of the engine for the length of a block.
    """

    name: str
    text: str
    aims: tuple[str, ...]
    only: str = ""  # the one connector that it is for; empty for any
    needs: str = ""  # what a subject must have for it to be harmful: a feature of its trial, "reads" or "writes"
    excused: Mapping[str, str] = {}  # connectors that it does no harm to, or where the harm is not seen, and why
    connector: Make | None = None
    mappings: Callable[[Subject], AbstractContextManager[Path]] | None = None
    engine: Callable[[], AbstractContextManager[Any]] | None = None

    @contextmanager
    def of(self, subject: Subject) -> Iterator[Subject]:
        """The subject, broken, for the length of a block."""
        kind = self.connector(subject.connector) if self.connector else subject.connector
        folder = self.mappings(subject) if self.mappings else nullcontext(subject.mappings)
        with self.engine() if self.engine else nullcontext(), folder as mappings:
            yield Subject(
                kind,
                subject.sandbox,
                settings=subject.settings,
                municipality=subject.municipality,
                mappings=mappings,
                name=subject.name,
            )


MUTANTS: dict[str, Mutant] = {}


def folder() -> Path:
    """A folder for what a mutant writes; it goes when the process ends."""
    new = Path(tempfile.mkdtemp(prefix="kit-mutant-"))
    atexit.register(shutil.rmtree, new, ignore_errors=True)
    return new


def mutant(
    *aims: str, only: str = "", needs: str = "", excused: Mapping[str, str] | None = None
) -> Callable[[Make], Make]:
    """Enter a function that makes a broken class of a connector's class; for the rest see :class:`Mutant`."""

    def enter(make: Make) -> Make:
        _enter(Mutant(_name(make), _text(make), aims, only, needs, excused or {}, connector=make))
        return make

    return enter


def engine(*aims: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a function that gives a context manager in which a piece of the engine is broken."""

    def enter(make: Callable[[], Any]) -> Callable[[], Any]:
        _enter(Mutant(_name(make), _text(make), aims, engine=make))
        return make

    return enter


def mapped(*aims: str) -> Callable[[Callable[[Subject], Any]], Callable[[Subject], Any]]:
    """Enter a function that gives a context manager with a folder of broken mappings."""

    def enter(make: Callable[[Subject], Any]) -> Callable[[Subject], Any]:
        _enter(Mutant(_name(make), _text(make), aims, mappings=make))
        return make

    return enter


def made(base: type[Connector], **members: Any) -> type[Connector]:
    """A subclass with other members."""
    return type(base.__name__, (base,), members)


def swapped(place: str, new: Any) -> AbstractContextManager[Any]:
    """Another object in the place of a module's or class's member, given by its dotted name."""
    return patch(place, new)


def texts(value: Any, change: Callable[[str], str]) -> Any:
    """A record with every text of several words changed."""
    if isinstance(value, Mapping):
        return {name: texts(below, change) for name, below in value.items()}
    if isinstance(value, list):
        return [texts(below, change) for below in value]
    return change(value) if isinstance(value, str) and " " in value else value


def strings(value: Any) -> Iterator[str]:
    """Every text in a record."""
    if isinstance(value, Mapping):
        for below in value.values():
            yield from strings(below)
    elif isinstance(value, list):
        for below in value:
            yield from strings(below)
    elif isinstance(value, str):
        yield value


def aims_of(mutants: Collection[Mutant]) -> set[str]:
    """Every promise that one of them is aimed at."""
    return {aim for one in mutants for aim in one.aims}


def _enter(one: Mutant) -> None:
    if one.name in MUTANTS:
        raise ValueError(f"two mutants are called {one.name}")
    MUTANTS[one.name] = one


def _name(make: Callable[..., Any]) -> str:
    return str(make.__name__)


def _text(make: Callable[..., Any]) -> str:
    return " ".join((make.__doc__ or "").split())
