"""Synthetic values in place of true ones, the same for the same wherever it stands.

The key that ties them together is random, lives as long as the save and is never written; nor is any table of pairs.
Every value made here is held against the originals, so that none is another person's by accident.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import random
import re
import secrets
import string
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from samspil.identifiers import cpr_kind
from samspil.testing import persons
from samspil.testing.recording.originals import RUN, Originals, cprs, stem, synthetic
from samspil.testing.recording.rules import Kind
from samspil.testing.recording.treatment import Treatment

ATTEMPTS = 2000
_VOWELS, _CONSONANTS, _STRANGE = "aeiouy", "bdfghjklmnprstvz", "æøåæøåéöü"
_FEW = 3  # letters or digits; there are so few shorter ones that one may be its own substitute
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?=$|[T ])")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONG = 40  # characters from which a text of unknown kind is taken to be free text


class NoSubstitute(ValueError):
    """There is no value left of that form, such as an eleventh one-digit key."""


class Substitutes:
    """The substitutes of one recording. ``replaced`` is all there is to it."""

    def __init__(self, originals: Originals) -> None:
        self._key = secrets.token_bytes(32)
        self._originals = originals
        self._known: dict[tuple[str, Any], Any] = {}
        self._taken: set[tuple[str, Any]] = {("cpr", number) for number in originals.cprs}
        self._contents: dict[str, bytes] = {}  # by the SHA-256 of the original

    def content(self, value: bytes) -> None:
        """Remember a content that will be replaced, so that its checksum can be."""
        self._contents.setdefault(hashlib.sha256(value).hexdigest(), value)

    def replaced(self, treatment: Treatment, value: Any, record: bytes) -> Any:
        """A value of the same type and form. Codes and numbers differ from record to record. Raises NoSubstitute."""
        if isinstance(value, bytes):
            return self._bytes(value)
        if isinstance(value, bool):
            return self._drawn("flag", (value, record), lambda rng: rng.random() < 0.5, free=True)
        if treatment.kind == "any" and value in ("true", "false"):
            return self._drawn("flag", (value, record), lambda rng: rng.choice(("true", "false")), free=True)
        kind = self._by_look(value) if treatment.kind == "any" else treatment.kind
        if kind in ("code", "number"):
            return self._drawn(kind, (value, record), lambda rng: _few(rng, treatment, value), treatment, free=True)
        if isinstance(value, int):
            return int(self._text(kind, str(value).zfill(10) if kind == "cpr" else str(value), treatment))
        if isinstance(value, float):
            return float(_digits(self._rng("float", value, 0), repr(value)))
        return self._text(kind, value, treatment)

    def _by_look(self, value: Any) -> Kind:
        if not isinstance(value, str):
            return "number"
        if any(cprs(value)) and len(value) <= 11:
            return "cpr"
        return "text" if len(value) > _LONG or " " in value else "words"

    def _text(self, kind: Kind, value: str, treatment: Treatment) -> str:
        if not value:
            return value
        if kind == "content":
            return self._base64(value)
        if kind == "digest":
            content = self._contents.get(value.lower())
            return hashlib.sha256(self._bytes(content)).hexdigest() if content is not None else self._hex(value)
        if kind == "filename":
            name = stem(value)
            return self._words(name, treatment) + value[len(name) :]
        if kind == "cpr":
            return self._cpr(value, treatment)
        make: dict[Kind, Callable[[random.Random], str]] = {
            "text": lambda rng: _filler(rng, value),
            "phone": lambda rng: _phone(rng, value),
            "email": lambda rng: _coined(rng, max(1, len(value) - len("@example.dk"))) + "@example.dk",
            "cvr": persons.cvr,
            "p_number": lambda rng: f"46{rng.randrange(10**8):08d}",  # none begins so, and it is no day of a month
            "secret": lambda rng: "".join(rng.choices(string.ascii_letters + string.digits, k=len(value))),
        }
        if kind in make and not (kind in ("cvr", "p_number") and not value.isdigit()):
            return str(self._drawn(kind, value, make[kind], treatment))
        return self._words(value, treatment)

    def _cpr(self, value: str, treatment: Treatment) -> str:
        found = list(cprs(value))
        if not found or len(value) > 11:
            return self._words(value, treatment)  # no number: it stays none
        sort = {"municipal-replacement": "municipal", "health-replacement": "health"}.get(
            cpr_kind(found[0]), "ordinary"
        )
        made = self._drawn("cpr", found[0], lambda rng: persons.cpr(rng, sort))
        return f"{made[:6]}{value[6 : len(value) - 4]}{made[6:]}"

    def _words(self, value: str, treatment: Treatment) -> str:
        """Each run of letters or digits by one of its length; the same run is the same everywhere."""
        if match := _UUID.fullmatch(value):
            return str(
                self._drawn("uuid", match[0].lower(), lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)))
            )
        if _DATE.match(value) and (treatment.accepts is None or treatment.accepts(value)):
            return str(self._drawn("moment", value, lambda rng: _moment(rng, value), treatment))
        for attempt in range(ATTEMPTS):
            # as a rule each run by its own; only where that makes a value that may not be, all of it by itself
            salt = f"{attempt}/{value}" if attempt else ""
            made = RUN.sub(partial(self._run, salt), value)
            if self._clean(made) and _same(treatment, value, made):
                return made
        raise NoSubstitute

    def _run(self, salt: str, match: re.Match[str]) -> str:
        run = match[0]
        kind = f"run{salt}"
        if any(cprs(run)):
            return self._cpr(run, Treatment("cpr"))
        if run.isdigit():
            return str(self._drawn(kind, run, lambda rng: "".join(rng.choices(string.digits, k=len(run)))))
        small = run.lower() if len(run.lower()) == len(run) else run
        made = str(self._drawn(kind, small, lambda rng: _coined(rng, len(run), run)))
        return "".join(new.upper() if old.isupper() else new for old, new in zip(run, made, strict=True))

    def _hex(self, value: str) -> str:
        return "".join(self._rng("hex", value, 0).choices("0123456789abcdef", k=len(value)))

    def _bytes(self, value: bytes) -> bytes:
        return self._rng("content", hashlib.sha256(value).hexdigest(), 0).randbytes(len(value))

    def _base64(self, value: str) -> str:
        try:
            return base64.b64encode(self._bytes(base64.b64decode(value, validate=True))).decode()
        except binascii.Error:
            return "".join(self._rng("content", value, 0).choices(string.ascii_letters, k=len(value))) + "!"

    def _drawn(
        self,
        kind: str,
        value: Any,
        make: Callable[[random.Random], Any],
        treatment: Treatment | None = None,
        *,
        free: bool = False,
    ) -> Any:
        """The value's own substitute. ``free``: several values may have the same one, and it may be the value."""
        if (kind, value) not in self._known:
            for attempt in range(ATTEMPTS):
                made = make(self._rng(kind, value, attempt))
                if free:
                    if treatment is None or _same(treatment, value[0], made):
                        break
                elif self._new(kind, value, made) and (treatment is None or _same(treatment, value, made)):
                    break
            else:
                raise NoSubstitute
            self._taken.add((kind, made))
            self._known[kind, value] = made
        return self._known[kind, value]

    def _new(self, kind: str, value: Any, made: str) -> bool:
        """Whether it is nobody else's substitute, and not the value itself."""
        if (kind, made) in self._taken or (made == value and len(made) >= _FEW):
            return False
        return self._clean(made) and (kind == "cpr" or not any(cprs(made)))

    def _clean(self, made: str) -> bool:
        """Whether nobody is in it."""
        return not self._originals.found(made) and all(map(synthetic, cprs(made)))

    def _rng(self, kind: str, value: Any, attempt: int) -> random.Random:
        seed = repr((kind, value, attempt)).encode()
        return random.Random(hashlib.blake2b(seed, key=self._key).digest())  # noqa: S311 - keyed; see the module


def _same(treatment: Treatment, value: Any, made: Any) -> bool:
    """Whether the mapping thinks the same of both."""
    return treatment.accepts is None or treatment.accepts(value) == treatment.accepts(made)


def _few(rng: random.Random, treatment: Treatment, value: Any) -> Any:
    """One of few values: a code, or a number of the same size or within the bounds."""
    if treatment.alike:
        return rng.choice(treatment.alike[value])
    if treatment.bounds and isinstance(value, (int, str)):
        return type(value)(rng.randint(*treatment.bounds))
    return json.loads(_digits(rng, repr(value))) if isinstance(value, (int, float)) else _digits(rng, str(value))


def _digits(rng: random.Random, text: str) -> str:
    """Other digits in place of a text's digits; the first is 0 only where it was."""
    first = re.search(r"\d", text)
    at = first.start() if first else -1
    return "".join(
        (str(rng.randint(1, 9)) if place == at and char != "0" else str(rng.randint(0, 9))) if char.isdigit() else char
        for place, char in enumerate(text)
    )


def _coined(rng: random.Random, length: int, like: str = "") -> str:
    """A word of no language; Danish letters where ``like`` has letters beyond a to z."""
    letters = (_CONSONANTS, _VOWELS) if length > _FEW else (string.ascii_lowercase, string.ascii_lowercase)
    strange = [at < len(like) and not like[at].isascii() for at in range(length)]
    return "".join(rng.choice(_STRANGE if strange[at] else letters[at % 2]) for at in range(length))


def _filler(rng: random.Random, value: str) -> str:
    """As many characters of coined words, with the characters that break careless formats if the text had them."""
    words = ""
    while len(words) < len(value):
        word = _coined(rng, rng.randint(2, 9))
        words += (word.replace("a", rng.choice("aæå")) if rng.random() < 0.3 else word) + " "
    made = list(words[: len(value)])
    for mark in '\n<&";':
        if mark in value and len(value) > 10:
            made[rng.randrange(1, len(value) - 1)] = mark
    made[0], made[-1] = made[0].upper(), made[-1].strip() or "."
    return "".join(made)


def _phone(rng: random.Random, value: str) -> str:
    """A number that cannot ring: after the country's 45 it begins with 0, as no Danish number does."""
    head = re.match(r"\+?(?:00)?45(?=(?:\D*\d){8}$)|\+?", value)
    start = head.end() if head else 0
    tail = _digits(rng, value[start:])
    return value[:start] + re.sub(r"\d", "0", tail, count=1)


def _moment(rng: random.Random, value: str) -> str:
    day = f"{rng.randint(1990, 2026)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    clock = f"{rng.randint(0, 21):02d}:{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}"
    return day + re.sub(r"(?<=^[T ])\d\d:\d\d(:\d\d)?", lambda match: clock[: len(match[0])], value[10:])
