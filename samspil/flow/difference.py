"""What differs between two versions of a target's record, field by field, without a value that could be a person's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from samspil.flow.compiled import CompiledFlow

HIDDEN = "(hidden)"

_decode = msgspec.json.Decoder().decode
_EMPTY: Mapping[str, Any] = {}
_EMPLOYEES = frozenset({"author", "case_worker", "contact_phone"})  # ordinary, but they name a person all the same


class FieldChange(NamedTuple):
    """One field of the target's record. ``before`` and ``after`` are shown only where the schema says ordinary."""

    path: str
    before: str
    after: str


class Difference:
    """Compares records of one flow's target."""

    def __init__(self, flow: CompiledFlow) -> None:
        self._open = _ordinary(flow)

    def between(self, before: bytes | None, after: bytes) -> Sequence[FieldChange]:
        """Fields that differ between two records as JSON; of a record that was not there, all it has."""
        old = dict(_flat(_EMPTY if before is None else _decode(before)))
        new = dict(_flat(_decode(after)))
        return [
            FieldChange(path, *(self._shown(path, side.get(path)) for side in (old, new)))
            for path in [*new, *(path for path in old if path not in new)]
            if old.get(path) != new.get(path)
        ]

    def _shown(self, path: str, value: object) -> str:
        if value is None:
            return "-"
        if _without_numbers(path) not in self._open:
            return HIDDEN
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _ordinary(flow: CompiledFlow) -> frozenset[str]:
    """The target's fields that carry nothing but ordinary fields of ours, or what the mapping always says."""
    return frozenset(
        node.path
        for pair in flow.mine.resolution.every()
        if all(
            ours.extra.get("sensitivity") == "ordinary" and ours.path.rpartition(".")[2] not in _EMPLOYEES
            for ours in pair.ours
        )
        for node in pair.theirs
    )


def _flat(record: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Fields by path. An empty list or object has none, as one that is missing."""
    for name, value in record.items():
        path = f"{at}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for index, item in enumerate(value):
                yield from _flat(item, f"{path}[{index}].")
        elif value != []:
            yield path, value


def _without_numbers(path: str) -> str:
    return ".".join(part.partition("[")[0] + "[]" * ("[" in part) for part in path.split("."))
