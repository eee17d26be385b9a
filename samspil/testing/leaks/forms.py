"""Whether a text shows a value it must not: as it is, in a URL, in base64, in hexadecimal, in JSON or XML escapes.

A plain hash of a CPR number is one too: there are few enough numbers to try them all.
"""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

SHORTEST = 6  # characters; a shorter value turns up by chance
HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b")


def leaks(values: Iterable[str], texts: Iterable[str | bytes]) -> int:
    """How many of the values are shown by at least one of the texts. Says nothing of which."""
    blob = b"\n".join(text.encode(errors="surrogateescape") if isinstance(text, str) else text for text in texts)
    lower = blob.lower()
    return sum(1 for value in set(values) if len(value) >= SHORTEST and _shown(value, blob, lower))


class Forms(NamedTuple):
    """The spellings of a value: those whose case matters, and those whose case does not, in small letters."""

    exact: frozenset[bytes]
    any_case: frozenset[bytes]


@lru_cache(maxsize=4096)
def forms(value: str) -> Forms:
    """The value in every spelling that is looked for."""
    cpr = value[:6].isdigit() and len(value) == 10
    spelled = {value, *(f"{value[:6]}{sign}{value[6:]}" for sign in ("-", " ", " - "))} if cpr else {value}
    exact: set[bytes] = set()
    any_case: set[bytes] = set()
    for text in spelled | {unicodedata.normalize("NFD", value)}:
        for data in _in_bytes(text):
            exact |= _in_base64(data)
            any_case |= {data.hex().encode(), data.lower()}
        for kind in HASHES if cpr else ():
            digest = hashlib.new(kind, text.encode(), usedforsecurity=False).digest()
            any_case.add(digest.hex().encode())
            exact |= {base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"=")}
        plain = (quote(text), quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1], escape(text), repr(text))
        any_case |= {form.strip("'\"").encode().lower() for form in plain}
        any_case |= {quote(text, safe="", encoding="latin-1", errors="ignore").encode().lower()}
    return Forms(frozenset(exact), frozenset(form for form in any_case if len(form) >= SHORTEST))


def _shown(value: str, blob: bytes, lower: bytes) -> bool:
    exact, any_case = forms(value)
    return any(form in blob for form in exact) or any(form in lower for form in any_case)


def _in_bytes(text: str) -> set[bytes]:
    """A text as UTF-8, as UTF-16 and, if it has all the letters, as Latin-1."""
    found = {text.encode(), text.encode("utf-16-le")}
    try:
        found.add(text.encode("latin-1"))
    except UnicodeEncodeError:
        return found
    return found


def _in_base64(data: bytes) -> set[bytes]:
    """What of the value's base64 stays the same wherever it stands in a longer text: three alignments, both alphabets."""
    found: set[bytes] = set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data)
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        piece = coded[first:last]
        if len(piece) >= SHORTEST:
            found |= {piece, piece.replace(b"+", b"-").replace(b"/", b"_")}
    return found
