"""The tests of a connector with open decisions: each decision is one that fails, and what already works is tried."""

from __future__ import annotations

import inspect
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samspil.connector import Connector
from samspil.declared import FILE, declared
from samspil.errors import Refused, SettingsError
from samspil.mapping.mapping import FOLDER
from samspil.scaffold.decisions import Decision, decisions
from samspil.scaffold.provisional import provisional
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

MUNICIPALITY, CITIZENS = "760", 24


def undecided(name: str, sandbox: type[Sandbox], mappings: Path = FOLDER) -> Callable[..., None] | None:
    """A test with one failing case for each open decision, and one that the sandbox answers; None if all is decided."""
    import pytest  # noqa: PLC0415 - the engine does not need it, a test file has it

    folder = Path(inspect.getfile(sandbox)).parent
    found = decisions(folder, mappings / name, root=mappings.parent)
    if not found:
        return None

    cases: dict[str, Decision | None] = {f"{one.file}:{one.line}": one for one in found}
    if supposable(folder):
        cases = {"the_sandbox_answers": None, **cases}

    @pytest.mark.parametrize("decision", cases.values(), ids=list(cases))
    def test_decisions(decision: Decision | None) -> None:
        if decision is not None:
            pytest.fail(str(decision), pytrace=False)
        with running(folder, sandbox) as (started, kind):
            answers(started, kind)

    return test_decisions


def supposable(folder: Path) -> bool:
    """Whether so much is known that a sandbox can answer: not if it is open how a record is read at all."""
    try:
        with _supposed(folder):
            return True
    except SettingsError:
        return False


@contextmanager
def running(folder: Path, sandbox: type[Sandbox]) -> Iterator[tuple[Sandbox, type[Connector] | None]]:
    """The sandbox of a connector's folder, and the class of its declaration; what is open in it is supposed."""
    with _supposed(folder) as (copy, kind):
        places: dict[str, Any] = {"folder": copy, "mappings": copy}
        places["__module__"] = sandbox.__module__
        played = sandbox if kind is None else type(sandbox.__name__, (sandbox,), places)
        with played(World(MUNICIPALITY, citizens=CITIZENS)) as started:
            yield started, kind


@contextmanager
def _supposed(folder: Path) -> Iterator[tuple[Path, type[Connector] | None]]:
    """A copy of a declaration's folder without open decisions, and its class; no class if it is written in Python."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        if not (folder / FILE).is_file():
            yield copy, None
            return
        (copy / FILE).write_text(provisional(folder / FILE), encoding="utf-8")
        yield copy, declared(copy / FILE)


def answers(sandbox: Sandbox, kind: type[Connector] | None) -> None:
    """Log in and read all that is shown; every record fits the contract. Raises AssertionError if not."""
    if kind is None:
        return
    connector = kind(sandbox.account)
    try:
        connector.check()
        for schema in kind.reads:
            read = 0
            for page in connector.read(schema):
                refused = [one for one in connector.decode(schema, page.raws) if isinstance(one, Refused)]
                refused += [one.error for one in page.rejected]
                if refused:
                    raise AssertionError(f"{schema}: the sandbox's answer does not fit the contract: {refused[0]}")
                read += len(page.keys)
            if not read:
                raise AssertionError(f"{schema}: the sandbox shows no record")
    finally:
        connector.close()
