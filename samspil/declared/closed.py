"""The base of every part of a declaration."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Word = Annotated[str, Meta(min_length=1)]
FileName = Annotated[str, Meta(min_length=1, max_length=100)]  # a longer one is an error of the operating system's own
Key = Word | Annotated[tuple[Word, ...], Meta(min_length=1)]  # what names a record, in one part or several
Reason = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\Z")]  # one of ours, in kebab-case


class Closed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing in a declaration is ignored: a word that it does not know is an error."""


def each(key: str | tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a record's key: it may be one word or a list of them."""
    return (key,) if isinstance(key, str) else key
