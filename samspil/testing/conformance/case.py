"""A case: one promise tried on one subject, for one schema where it is about schemas."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import stamina
import stamina.instrumentation

from samspil.errors import SamspilError
from samspil.testing.conformance.promise import Broken, Promise, promises
from samspil.testing.conformance.subject import Subject, expects
from samspil.testing.conformance.trial import Trial

ATTEMPTS = 3  # sendings of one call at most, without waits, where a promise is not about waiting


class Inapplicable(NamedTuple):
    """A promise that does not concern a subject, and why."""

    promise: str
    schema: str
    why: str


class Case(NamedTuple):
    """Call ``keep`` to try it."""

    subject: Subject
    promise: Promise
    schema: str = ""

    @property
    def id(self) -> str:
        """``reading.keys_are_unique[attendance]``."""
        name = f"{self.promise.group}.{self.promise.name}"
        return f"{name}[{self.schema}]" if self.schema else name

    def keep(self) -> None:
        """Try the promise. Raises Broken, whose message never has a record's value."""
        problem = _try(self)
        if problem:
            raise Broken(f"{self.promise.text} {problem}")


def cases(subject: Subject) -> tuple[list[Case], list[Inapplicable]]:
    """Every case of a subject, and the promises that do not concern it. Starts its sandbox once."""
    found: list[Case] = []
    others: list[Inapplicable] = []
    with Trial(subject) as trial:
        features = {name: trial.features_of(name) for name in ("", *subject.connector.reads, *subject.connector.writes)}
    for promise in promises().values():
        schemas = [""] if promise.per == "connector" else subject.schemas(promise)
        if not schemas:
            others.append(Inapplicable(promise.name, "", f"no schema to {promise.per}"))
        lacks = {schema: subject.lacks(promise, schema, features[schema]) for schema in schemas}
        fit = [schema for schema, why in lacks.items() if not why]
        if not (promise.one_schema and fit):
            others += [Inapplicable(promise.name, schema, why) for schema, why in lacks.items() if why]
        found += [Case(subject, promise, schema) for schema in (fit[:1] if promise.one_schema else fit)]
    for name in subject.skips:
        expects(name in promises(), f"a skip of {subject.name}: there is no promise {name}")
    return found, others


def _try(case: Case) -> str:
    """What is wrong; nothing if the promise is kept."""
    try:
        with _waits(real=case.promise.waits), Trial(case.subject) as trial:
            case.promise.keep(trial, *([case.schema] if case.schema else []))
    except Broken as broken:
        return f"✗ {broken}"
    except SamspilError as error:  # never has a value in it
        return f"✗ {type(error).__name__}: {error} ({_place(error)})"
    except Exception as error:  # noqa: BLE001 - its message may hold a person's value, its type and place do not
        return f"✗ {type(error).__name__} in {_place(error)}"
    return ""


@contextmanager
def _waits(*, real: bool) -> Iterator[None]:
    """Without its waits, trying again is as quick as trying once."""
    if real:
        with stamina.set_testing(False):  # whatever the tests around it have set
            yield
    else:
        hooks = stamina.instrumentation.get_on_retry_hooks()
        stamina.instrumentation.set_on_retry_hooks(())  # a line for each attempt would hide what matters
        try:
            with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
                yield
        finally:
            stamina.instrumentation.set_on_retry_hooks(hooks)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or list(frames)
    return " ← ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in ours[-3:][::-1])
