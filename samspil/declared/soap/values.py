"""The values of a request: what the declaration says, what the settings hold, and what a single call adds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

OURS = ("uuid", "now")  # $uuid and $now


def filled(values: Mapping[str, Any], settings: Any, **given: Any) -> dict[str, Any]:
    """The values with every ``$name`` filled in, and ``given`` (by dotted path) put where it belongs."""
    made: dict[str, Any] = _filled(values, settings)
    return put(made, given)


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


def setting(value: object) -> str:
    """The name in ``$name``; empty for a plain value."""
    return value[1:] if isinstance(value, str) and value[:1] == "$" else ""


def _filled(value: Any, settings: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, settings) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, settings) for item in value]
    name = setting(value)
    if name == "uuid":
        return str(uuid.uuid4())
    if name == "now":
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if name:
        return getattr(settings, name)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, float) else value
