"""The second look, at the bytes that are about to be saved: nobody and no secret may be in them, in any encoding.

It shares no code with the walk that replaced the values: it knows nothing of formats' fields. It looks for the
originals as they are, in whatever the text decodes to (percent, base64, hex, entities, escapes, quoted-printable,
gzip, zlib, bzip2, xz, zip, UTF-16, one in the other), and as base64 and hex at every offset; and for anything that is a
CPR number outside of the synthetic range, whether it was ever seen before or not.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import quopri
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from samspil.testing.leaks.packed import LARGEST, PACKED, TooDeep, unpacked
from samspil.testing.recording.originals import Originals, cprs, synthetic

DEEPEST = 6
_FOLD = 50  # times its own length, and LARGEST, is what a text may unfold to

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{14,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[ :-]?){10,}")
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[ntr\"'/\\]")
_RUBBISH = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xbf\ufffd]")  # what no text in Danish has
_RUBBISH_SHARE = 0.1  # of a text at most; decoded bytes with more of it are none


class Leak(NamedTuple):
    """Where something was found, and what sort of thing."""

    line: int  # 1-based
    field: str
    what: str


class Layer(NamedTuple):
    """What a text decodes to; ``clean`` if that is text and no rubbish."""

    text: str
    clean: bool


def leak(data: bytes, originals: Originals, words: AbstractSet[str], public: AbstractSet[str]) -> Leak | None:
    """The first leak in the lines of a recording; it does not quote what it found.

    Whole ``words`` and texts in ``public`` (namespaces) are known to tell of nobody, unless they are a CPR number.
    """
    for number, line in enumerate(data.splitlines(), 1):
        if originals.encoded(line):
            return Leak(number, "", "a person or secret in an encoded form")
        for field, text in _strings(json.loads(line), ""):
            if what := _found(text, originals, words, public):
                return Leak(number, field, what)
    return None


def _found(text: str, originals: Originals, words: AbstractSet[str], public: AbstractSet[str]) -> str:
    try:
        for layer in layers(text):
            if not all(map(synthetic, cprs(layer.text))):
                return "something that is a CPR number"
            if originals.found(_without(layer.text, words, public), whole=layer.clean):
                return "a person or secret"
    except TooDeep:
        return "more than can be looked through"
    return ""


def _without(text: str, words: AbstractSet[str], public: AbstractSet[str]) -> str:
    for known in public:
        if not known.isalnum():
            text = text.replace(known, " ")
    return re.sub(r"\w+", lambda word: " " if word[0] in words or word[0] in public else word[0], text)


def _strings(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield f"{at} (a name)".strip(), name
            yield from _strings(below, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for below in value:
            yield from _strings(below, at)
    else:
        yield at.partition(".")[0], str(value)


def layers(text: str) -> Iterator[Layer]:
    """The text and everything that it, or a part of it, decodes to. Raises TooDeep."""
    seen: set[str] = set()
    waiting = [(Layer(text, clean=True), 0)]
    size = 0
    while waiting:
        layer, deep = waiting.pop()
        if layer.text in seen:
            continue
        seen.add(layer.text)
        size += len(layer.text)
        if size > LARGEST + _FOLD * len(text):
            raise TooDeep
        yield layer
        if layer.clean:
            if deep == DEEPEST:
                raise TooDeep
            waiting += [(below, deep + 1) for below in _decoded(layer.text)]


def _decoded(text: str) -> Iterator[Layer]:
    if "%" in text:
        yield Layer(unquote_plus(text), clean=True)
    if "&" in text:
        yield Layer(html.unescape(text), clean=True)
    if _ESCAPE.search(text):
        yield Layer(_ESCAPE.sub(_unescaped, text), clean=True)
    if re.search(r"=[0-9A-Fa-f]{2}|=\r?\n", text):
        yield Layer(quopri.decodestring(text.encode()).decode("utf-8", "replace"), clean=True)
    for whole in {text, re.sub(r"\s+", "", text)}:  # base64 and hex may be folded
        for match in _HEX.finditer(whole):
            digits = re.sub("[^0-9A-Fa-f]", "", match[0])
            for start in (0, 1):
                yield from _texts(bytes.fromhex(digits[start : len(digits) - (len(digits) - start) % 2]))
        for match in _BASE64.finditer(whole):
            yield from _from_base64(match[0].replace("-", "+").replace("_", "/"))


def _from_base64(token: str) -> Iterator[Layer]:
    for start in range(4):
        part = token[start:]
        part = part[: len(part) - 1] if len(part) % 4 == 1 else part
        try:
            yield from _texts(base64.b64decode(part + "=" * (-len(part) % 4)))
        except binascii.Error:
            continue


def _unescaped(match: re.Match[str]) -> str:
    letter = match[0][1]
    if letter in "ux":
        return chr(int(match[0][2:], base=16))  # noqa: FURB166 - \u is no prefix that int knows
    return {"n": "\n", "t": "\t", "r": "\r"}.get(letter, letter)


def _texts(data: bytes) -> Iterator[Layer]:
    """Bytes as text: unpacked, in UTF-8, Latin-1 or UTF-16, or else as rubbish with perhaps something in it."""
    if data.startswith(PACKED):
        parts = list(unpacked(data))
        for part in parts:
            yield from _texts(part)
        if parts:
            return
    if data.count(0) * 3 > len(data):
        for encoding in ("utf-16-le", "utf-16-be"):
            yield _layer(data[: len(data) & ~1].decode(encoding, "replace"))
        return
    try:
        yield _layer(data.decode())
    except UnicodeDecodeError:
        yield _layer(data.decode("latin-1"))


def _layer(text: str) -> Layer:
    return Layer(text, clean=len(_RUBBISH.findall(text)) <= len(text) * _RUBBISH_SHARE)
