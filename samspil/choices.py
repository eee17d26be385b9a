"""What a place in a file may say: the fixed words of its type, for an error that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import inspect

_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


def choices(kind: Any, path: str) -> str:
    """``never, or a block of keys`` for the place at ``path`` of a struct; empty where no fixed words are meant."""
    places = [inspect.type_info(kind)]
    for step in _STEP.findall(path):
        places = [below for place in places for below in _below(place, step)]
    ends = [one for place in places for one in _each(place)]
    words = [str(value) for one in ends if isinstance(one, inspect.LiteralType) for value in one.values]
    blocks = [
        "a block of " + ", ".join(field.encode_name for field in one.fields)
        for one in ends
        if isinstance(one, inspect.StructType)
    ]
    return ", or ".join(filter(None, [", ".join(words), *blocks])) if words else ""


def _each(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types that a union has, out of what is wrapped around them."""
    if isinstance(kind, inspect.Metadata):
        yield from _each(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _each(one)
    else:
        yield kind


def _below(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    for one in _each(kind):
        if isinstance(one, inspect.StructType):
            yield from (field.type for field in one.fields if field.encode_name == step)
        elif isinstance(one, inspect.DictType):
            yield one.value_type
        elif isinstance(one, inspect.CollectionType) and step.startswith("["):
            yield one.item_type
