"""Damage on the wire, found from the contract alone: which field is a date, which has codes, which is required."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from samspil.declared.rest.answer import at
from samspil.openapi import Contract, Schema

NO_SUCH_DAY, NO_SUCH_CODE, NO_SUCH_CPR = "2026-02-30", "ZZ", "3999405555"


class Damage:
    """How one kind of record is damaged. ``spared`` are fields without which nobody could say which record it is."""

    def __init__(self, contract: Contract, component: str, spared: Collection[str]) -> None:
        self._contract = contract
        schema = contract.component(component)
        self._fields = dict(self._leaves(schema, ()))
        self._fields = {path: one for path, one in self._fields.items() if path[0] not in spared}
        self._required = sorted(contract.object(schema)[1] - set(spared))

    def does(self, record: dict[str, Any], kind: str) -> None:
        """Damage a record in place; a kind that it has no field for makes a required field go."""
        if kind == "unknown-field":
            record["newInVersion9"] = True
            return
        for path, one in self._fields.items():
            holder = at(record, ".".join(path[:-1]))
            if isinstance(holder, dict) and path[-1] in holder and _fits(kind, path[-1], one):
                holder[path[-1]] = _wrong(kind, one)
                return
        del record[self._required[-1]]

    def _leaves(self, schema: Schema, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Schema]]:
        """The single values of a record, those of its inner objects included, lists not."""
        for name, one in self._contract.object(schema)[0].items():
            found = _whole(self._contract, one)
            if "properties" in found:
                yield from self._leaves(found, (*above, name))
            elif not found.get("readOnly"):
                yield (*above, name), found


def _fits(kind: str, name: str, schema: Schema) -> bool:
    return (
        (kind == "bad-date" and schema.get("format") in ("date", "date-time"))
        or (kind == "unknown-code" and "enum" in schema)
        or (kind == "bad-cpr" and "cpr" in name.lower())
    )


def _wrong(kind: str, schema: Schema) -> Any:
    if kind == "bad-date":
        return NO_SUCH_DAY + ("T10:00:00Z" if schema["format"] == "date-time" else "")
    if kind == "unknown-code":
        return 77 if schema.get("type") == "integer" else NO_SUCH_CODE
    return NO_SUCH_CPR


def _whole(contract: Contract, schema: Schema) -> Schema:
    """A field's schema with what it takes from ``allOf``."""
    found = contract.resolved(schema)
    for part in found.get("allOf", ()):
        found = {**contract.resolved(part), **found}
    return found
