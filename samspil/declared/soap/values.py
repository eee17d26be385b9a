"""The values of a request: what the declaration says, what the settings hold, and what a single call adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from samspil.declared import values as settled


def filled(given: Mapping[str, Any], settings: Any) -> dict[str, Any]:
    """The values with the account's settings in them, as a message takes them."""
    made: dict[str, Any] = _texts(settled.filled(given, settings))
    return made


def put(values: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Put each value at its dotted path, making what is between."""
    for path, value in given.items():
        *steps, last = path.split(".")
        place = values
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return values


def got(answer: Any, path: str) -> Any:
    """What stands at a dotted path of an answer; None if it is not there."""
    for step in path.split("."):
        if not isinstance(answer, dict):
            return None
        answer = answer.get(step)
    return answer


def leaves(values: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Each value with its dotted path; the items of a list share theirs."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from leaves(value, f"{at}.{name}" if at else str(name))
    elif isinstance(values, list):
        for value in values:
            yield from leaves(value, at)
    else:
        yield at, values


def _texts(value: Any) -> Any:
    """Numbers with a point as text, as they go into a message."""
    if isinstance(value, dict):
        return {name: _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value) if isinstance(value, float) else value
