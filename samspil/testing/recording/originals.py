"""What must not be in a recording: the values that were replaced, in a form that can be looked for quickly.

This is the memory of one save: it is never written anywhere.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from samspil.errors import Refused
from samspil.identifiers import cpr_kind
from samspil.testing.recording.rules import Kind

SUBSTRING = 6  # characters from which a value is looked for inside of words too
SHORTEST = 3
PIECE = 24  # characters of a free text that give it away
_GRAM = SUBSTRING  # the longer, the fewer needles have the same
_WINDOW = 1 << 18  # characters looked at together
_ENCODED = 8  # bytes from which a value's encoded forms are looked for

_CPR = re.compile(r"(?<!\d)(\d{6})[-\u2010-\u2014 ./]?(\d{4}|[015-7][A-Za-z]{2}\d)(?!\d)")
RUN = re.compile(r"[^\W\d_]+|\d+")  # of letters or of digits


def cprs(text: str) -> Iterator[str]:
    """Every CPR number in a text, however it is divided, as ten characters; the unknown person is nobody."""
    for match in _CPR.finditer(text):
        number = (match[1] + match[2]).upper()
        try:
            if cpr_kind(number) != "unknown-person":
                yield number
        except Refused:
            continue


def synthetic(cpr: str) -> bool:
    """Whether a number is in the range of ``samspil.testing.persons``, where nobody has been born yet."""
    return 37 <= int(cpr[4:6]) <= 57 and cpr[6] in "5678"


def stem(filename: str) -> str:
    """A file's name without its extension, if it has one of the usual kind."""
    return re.sub(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{1,3}\Z", "", filename)


class Originals:
    """Values, and whether a text has one of them. Small and capital letters are the same."""

    def __init__(self) -> None:
        self.cprs: set[str] = set()
        self._added: set[tuple[Kind, Any]] = set()
        self._inside: dict[str, set[str]] = {}  # by their first letters
        self._words: set[str] = set()
        self._encoded: dict[bytes, set[bytes]] = {}

    def add(self, kind: Kind, value: Any) -> None:
        """Remember one value that is to be replaced."""
        if (kind, value) in self._added:
            return
        self._added.add((kind, value))
        if isinstance(value, bytes):
            self._add_encoded(value)
            return
        if isinstance(value, bool) or value in ("true", "false"):
            return
        text = stem(value) if kind == "filename" else str(value)
        self.cprs.update(cprs(text.zfill(10) if kind == "cpr" and text.isdigit() else text))
        for number in self.cprs & set(cprs(text.zfill(10))):
            forms = (number, f"{number[:6]}-{number[6:]}", f"{number[:6]} {number[6:]}", number.lstrip("0"))
            self._add_all(forms)
        if kind in ("number", "code", "passing", "cpr"):
            return  # a number or code by itself tells of nobody
        self._add_all([text.strip()])
        if kind in ("words", "any", "email", "filename"):
            self._add_all(RUN.findall(text))
        if kind == "phone":
            self._add_all(["".join(filter(str.isdigit, text))[-8:]])
        if kind in ("text", "any", "secret"):
            self._add_all(text[start : start + PIECE] for start in range(0, len(text) - PIECE, PIECE))

    def found(self, text: str, *, whole: bool = True) -> bool:
        """Whether one of them is in the text. ``whole=False`` looks for the longer ones only, as in random bytes."""
        text = text.casefold()
        if _any(text, self._inside, _GRAM):
            return True
        return whole and not (
            self._words.isdisjoint(RUN.findall(text)) and self._words.isdisjoint(re.findall(r"\w+", text))
        )

    def encoded(self, data: bytes) -> bool:
        """Whether one of them is in the bytes as base64, hex or UTF-16, wherever it begins."""
        return _any(data, self._encoded, _ENCODED) or _any(data.lower(), self._encoded, _ENCODED)

    def _add_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            folded = text.casefold()
            if len(folded) >= SUBSTRING:
                self._inside.setdefault(folded[:_GRAM], set()).add(folded)
                self._add_encoded(text.encode())
                self._add_encoded(text.encode("latin-1", "replace"))
            elif len(folded) >= SHORTEST and not folded.isdigit():
                self._words.add(folded)

    def _add_encoded(self, data: bytes) -> None:
        data = data[:120]
        if len(data) < SUBSTRING:
            return
        forms = [data.hex().encode(), base64.b64encode(data.decode("utf-8", "replace").encode("utf-16-le"))[:-4]]
        for shift in range(3):  # where the value begins within three bytes
            inner = base64.b64encode(b"\0" * shift + data)
            forms.append(inner[(0, 2, 3)[shift] : -4 if (len(data) + shift) % 3 else None])
        forms += [form.replace(b"+", b"-").replace(b"/", b"_") for form in forms]
        for form in forms:
            if len(form) >= _ENCODED:
                self._encoded.setdefault(form[:_ENCODED], set()).add(form)


_T = TypeVar("_T", str, bytes)


def _any(text: _T, needles: Mapping[_T, set[_T]], length: int) -> bool:
    """Whether one of the needles, which are kept by their first ``length`` characters, is in the text."""
    for start in range(0, len(text), _WINDOW):
        end = min(start + _WINDOW, len(text) - length + 1)
        grams = {text[at : at + length] for at in range(start, end)}
        for gram in grams & needles.keys():
            if any(text.find(one, start, end + len(one)) >= 0 for one in needles[gram]):
                return True
    return False
