"""Whether bytes show the canary person, in whatever spelling, packed or not."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from functools import cache

from samspil.testing.leaks.forms import HASHES, forms
from samspil.testing.leaks.packed import PACKED, TooDeep, unpacked
from samspil.testing.persons import CANARY_DATE, CANARY_WORD, canary

DEEPEST = 4  # packages in each other
_NUMBER = re.compile(rb"%s[ /.-]{0,3}[5-8][0-9]{3}" % CANARY_DATE.encode())
_WORDS = (CANARY_WORD, CANARY_WORD.lower(), CANARY_WORD.upper())
_DIGEST = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})(?![0-9a-f])")
_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x05\x06"  # the end of a zip: something may stand before it
_IN_BASE64 = re.compile(rb"(?:H4sI|UEsD)[A-Za-z0-9+/_=\r\n-]{16,}")  # a gzip or a zip
_MOST = 64  # packages looked into beside each other


def shown(data: bytes) -> str:
    """How the bytes show the canary person: a few words without the value; empty if they do not.

    What unpacks to more than can be looked through is looked at as it is.
    """
    return _shown(data, 0)


def _shown(data: bytes, deep: int) -> str:
    if found := _spelled(data):
        return found
    if deep < DEEPEST:
        try:
            for part in _parts(data):
                if found := _shown(part, deep + 1):
                    return f"packed, {found}"
        except TooDeep:
            return ""
    return ""


def _spelled(data: bytes) -> str:
    lower = data.lower()
    for needle, what in _any_case().items():
        if needle in lower:
            return what
    for needle, what in _exact().items():
        if needle in data:
            return what
    if CANARY_DATE.encode() in data and _NUMBER.search(data):
        return "the number"
    return "a hash of the number" if any(match[0] in _digests() for match in _DIGEST.finditer(lower)) else ""


def _parts(data: bytes) -> Iterator[bytes]:
    """What is packed in the bytes: at their beginning or further on, or in base64."""
    if data.startswith(PACKED):
        yield from unpacked(data)
    if _ZIP in data and not data.startswith(b"PK"):
        yield from unpacked(data[data.index(b"PK") :])
    at = data.find(_GZIP, 1)
    for _ in range(_MOST):
        if at < 0:
            break
        yield from unpacked(data[at:])
        at = data.find(_GZIP, at + 1)
    for match in _IN_BASE64.finditer(data):
        text = re.sub(rb"\s", b"", match[0]).rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        try:
            yield base64.b64decode(text[: len(text) - (len(text) % 4 == 1)] + b"=" * (-len(text) % 4))
        except binascii.Error:
            continue


@cache
def _any_case() -> dict[bytes, str]:
    """Needle in small letters → what it is. The date as plain digits is not among them: alone it may turn up by chance."""
    number = {form: "the number, encoded" for form in forms(CANARY_DATE).any_case if form != CANARY_DATE.encode()}
    words = {form: "a name or a text" for word in _WORDS for form in forms(word).any_case}
    return number | words


@cache
def _exact() -> dict[bytes, str]:
    number = dict.fromkeys(forms(CANARY_DATE).exact, "the number in base64")
    return number | {form: "a name or a text in base64" for word in _WORDS for form in forms(word).exact}


@cache
def _digests() -> frozenset[bytes]:
    """The plain hashes of every canary's number, in hexadecimal."""
    numbers = [canary(f"{code:03d}")["cpr"] for code in range(1000)]
    texts = [text.encode() for number in numbers for text in (number, f"{number[:6]}-{number[6:]}")]
    return frozenset(
        hashlib.new(kind, text, usedforsecurity=False).hexdigest().encode() for text in texts for kind in HASHES
    )
