"""A parser's inputs, tried one after the other, each with a limit on the work that it may cause."""

from __future__ import annotations

import random
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from fuzz.files import Csv, Fixed, Xlsx
from fuzz.messages import Json, Xml
from fuzz.parser import Lost, Outcome, Parser
from fuzz.settings import Yaml
from fuzz.signed import Signed
from fuzz.wrapped import Multipart
from samspil.errors import SamspilError

WORK = 5.0  # seconds of the processor's time for one input: how busy the machine is does not matter

PARSERS: dict[str, type[Parser]] = {one.name: one for one in (Xml, Signed, Multipart, Json, Csv, Fixed, Xlsx, Yaml)}


class Hang(BaseException):
    """An input took more work than any may; nothing that the parser does can swallow this."""


class Found(NamedTuple):
    """An input that ended as none may: repeat it with its seed and number."""

    parser: str
    seed: int
    number: int
    what: str
    where: str


class Tally(NamedTuple):
    """What became of some inputs of one parser."""

    parser: str
    inputs: int
    outcome: Outcome
    found: list[Found]


def run(name: str, seed: int, numbers: range) -> Tally:
    """Try these inputs of a parser."""
    tally = Tally(name, len(numbers), Outcome(), [])
    for number in numbers:
        outcome, found = one(_parser(name), seed, number)
        tally.outcome.update(outcome)
        if found:
            tally.found.append(found)
    return tally


def one(parser: Parser, seed: int, number: int) -> tuple[Outcome, Found | None]:
    """Try one input."""
    chance = chance_of(parser.name, seed, number)
    sample, data = parser.input(chance)
    try:
        with _limited():
            return parser.tried(chance, sample, data), None
    except SamspilError as error:
        if error.reason:
            return Outcome(stopped=1), None
        return Outcome(), Found(parser.name, seed, number, "stopped without a reason", "")
    except (Exception, Hang) as error:  # noqa: BLE001 - whatever it is, it is what we look for
        what = f"{type(error).__name__}: {error}"[:200]
        return Outcome(), Found(parser.name, seed, number, what, _where(error))


def chance_of(name: str, seed: int, number: int) -> random.Random:
    """The randomness of one input: it depends on no other."""
    return random.Random(f"{name}/{seed}/{number}")  # noqa: S311 - no secret


@cache
def _parser(name: str) -> Parser:
    return PARSERS[name]()


@contextmanager
def _limited() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Hang(f"more than {WORK:g} s of work")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, WORK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if "/samspil/" in one.filename] or list(frames)
    at = ours[-1] if not isinstance(error, Lost) else frames[-1]
    return f"{Path(at.filename).name}:{at.lineno} in {at.name}"
