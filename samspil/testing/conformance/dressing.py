"""Facts dressed for a promise: with difficult letters, days and lengths."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache
from typing import Any

import msgspec

from samspil import registry
from samspil.testing.facts import DENMARK, Fact

LONG = " og så videre" * 700
LETTERS = "Æblegård på Ærø, Ø-café: blåbærgrød & »é«"
NIGHTS = (  # a leap day, the nights the clock changes with both hours of one, New Year, midnight, after 2038
    (date(2028, 2, 29), time(23, 45)),
    (date(2026, 3, 29), time(3, 30)),
    (date(2026, 10, 25), time(2, 30)),
    (date(2026, 10, 25), time(2, 30, fold=1)),
    (date(2026, 12, 31), time(23, 45)),
    (date(2027, 1, 1), time(0, 0)),
    (date(2039, 6, 30), time(12, 30)),
)


def dressed_texts(fact: Fact, letters: str) -> Fact:
    """A fact whose free texts have other letters: those of several words."""
    return {
        name: letters if isinstance(value, str) and " " in value and name != "given_names" else value
        for name, value in fact.items()
    }


def dressed_long(schema: str, fact: Fact) -> Fact:
    """A fact whose free texts, those of several words, are as long as their schema allows."""
    room = _room(schema)
    return {
        name: (value + LONG)[: room[name]]
        if isinstance(value, str) and " " in value and name in room and name != "given_names"
        else value
        for name, value in fact.items()
    }


@cache
def _room(schema: str) -> dict[str, int]:
    """The most characters of each text of a schema that has a bound and no pattern."""
    fields = msgspec.inspect.type_info(registry.schema(schema)).fields  # type: ignore[attr-defined]  # a struct
    texts = {field.encode_name: text for field in fields for text in _text_types(field.type)}
    return {name: text.max_length for name, text in texts.items() if text.max_length and not text.pattern}


def _text_types(kind: Any) -> list[msgspec.inspect.StrType]:
    if isinstance(kind, msgspec.inspect.Metadata):
        return _text_types(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [text for one in kind.types for text in _text_types(one)]
    return [kind] if isinstance(kind, msgspec.inspect.StrType) else []


def dressed_days(value: Any, day: date, moment: time) -> Any:
    """A fact whose days are all this one, and whose moments are at this time of it."""
    if isinstance(value, datetime):
        return datetime.combine(day, moment, DENMARK)
    if isinstance(value, date):
        return day
    if isinstance(value, dict):
        return {name: dressed_days(below, day, moment) for name, below in value.items()}
    return [dressed_days(below, day, moment) for below in value] if isinstance(value, list) else value
