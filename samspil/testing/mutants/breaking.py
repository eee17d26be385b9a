"""Breaking one subject in one way, and looking which promises notice. Each task can run in a process of its own."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from samspil.errors import SettingsError
from samspil.testing.conformance.case import Case, cases
from samspil.testing.conformance.trial import Trial
from samspil.testing.mutants import mutants
from samspil.testing.mutants.reference import NAME
from samspil.testing.mutants.subjects import subject

Noticed = Literal["killed", "survived"]


class Task(NamedTuple):
    """A subject and a mutant; without a mutant, one of the subject's promises as it is."""

    subject: str
    mutant: str = ""
    promise: str = ""


class Done(msgspec.Struct):
    """What became of a task: by promise, whether it noticed. Of a promise tried as it is, what it says is broken."""

    subject: str
    mutant: str
    promises: dict[str, str]
    seconds: float


def tasks(subjects: Sequence[str], chosen: Sequence[str] = ()) -> list[Task]:
    """Everything there is to try. A broken piece of the engine is tried on the reference, which has every promise.

    Raises SettingsError for a mutant that does not exist.
    """
    for name in chosen:
        if name not in mutants():
            near = get_close_matches(name, mutants(), n=3, cutoff=0.4)
            raise SettingsError(f"no such mutant; the nearest are {', '.join(near) or 'none'}", field=name)
    found: list[Task] = []
    for name in subjects:
        found += [Task(name, promise=promise) for promise in _cases(name)]
        for one in mutants().values():
            if chosen and one.name not in chosen:
                continue
            fits = one.only in ("", name) and name not in one.excused and (not one.needs or one.needs in _has(name))
            aims = [aim for aim in one.aims if aim in _cases(name)]
            if fits and aims and (name == NAME or one.connector or not _on_reference(one.aims)):
                found.append(Task(name, one.name))
    return found


def run(task: Task) -> Done:
    """Try it."""
    logging.disable(logging.NOTSET)
    warnings.simplefilter("ignore")  # a mutant that closes nothing leaves sockets to the garbage collector
    start = time.monotonic()
    done = {task.promise: _problem(task.promise, _cases(task.subject))} if not task.mutant else _broken(task)
    return Done(task.subject, task.mutant, done, round(time.monotonic() - start, 2))


def _broken(task: Task) -> dict[str, str]:
    one, found = mutants()[task.mutant], {}
    for aim in one.aims:
        if aim not in _cases(task.subject):
            continue
        noticed: Noticed = "survived"
        for case in _cases(task.subject)[aim]:
            with one.of(subject(task.subject)) as broken:
                if _kept(case._replace(subject=broken)):
                    noticed = "killed"
                    break
        found[aim] = str(noticed)
    return found


def _problem(promise: str, there: dict[str, list[Case]]) -> str:
    return next((problem for case in there[promise] if (problem := _kept(case))), "")


def _kept(case: Case) -> str:
    """What is wrong; nothing if the promise is kept."""
    try:
        case.keep()
    except AssertionError as broken:
        return str(broken)
    return ""


def _on_reference(aims: tuple[str, ...]) -> bool:
    return any(aim in _cases(NAME) for aim in aims)


@cache
def _has(name: str) -> frozenset[str]:
    """The features of a subject's trial, and whether it reads and writes."""
    own = subject(name)
    with Trial(own) as trial:
        features = trial.features
    return features | ({"reads"} if own.connector.reads else set()) | ({"writes"} if own.connector.writes else set())


@cache
def _cases(name: str) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in cases(subject(name))[0]:
        found.setdefault(case.promise.name, []).append(case)
    return found
