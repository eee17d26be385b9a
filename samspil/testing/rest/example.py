"""Records made from the contract alone, for a schema of which nobody has said yet how a fact looks in it."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from samspil.openapi import DEEPEST, Contract, Schema
from samspil.testing.facts import DENMARK, TODAY, Fact

PLAIN = {"integer": 1, "number": 1, "boolean": True}


class Example:
    """A component as an example: every field is there, with its ``example``, ``default``, first code or least value.

    Only the key and a field called after the CPR number come from the fact; a text with a pattern needs an ``example``.
    """

    def __init__(self, contract: Contract, component: str, key: str) -> None:
        self._contract, self._key = contract, key
        self._schema = contract.component(component)

    def __call__(self, fact: Fact) -> dict[str, Any]:
        """One fact as a record."""
        record: dict[str, Any] = self._made(self._schema, "", fact, DEEPEST)
        return {**record, self._key: fact["id"]}

    def _made(self, schema: Schema, name: str, fact: Fact, deep: int) -> Any:
        found = self._contract.resolved(schema)
        for told in ("const", "example", "default"):
            if told in found:
                return found[told]
        if "examples" in found or "enum" in found:
            return (found.get("examples") or found["enum"])[0]
        properties = self._contract.object(found)[0]
        if properties and deep:
            return {
                inner: self._made(one, inner, fact, deep - 1)
                for inner, one in properties.items()
                if not self._contract.resolved(one).get("readOnly")
            }
        for part in (*found.get("allOf", ()), *found.get("oneOf", ()), *found.get("anyOf", ())):
            return self._made({**self._contract.resolved(part)}, name, fact, deep - 1) if deep else None
        kind = found.get("type", "string")
        kind = kind if isinstance(kind, str) else next(one for one in kind if one != "null")
        if kind == "array":
            return [self._made(found.get("items", {}), name, fact, deep - 1)] if deep else []
        return found.get("minimum", PLAIN[kind]) if kind in PLAIN else _text(found, name, fact)


def _text(schema: Schema, name: str, fact: Fact) -> str:
    moment = datetime.combine(TODAY, time(12), DENMARK)
    told = {"date": TODAY.isoformat(), "date-time": moment.isoformat(), "uuid": "00000000-0000-4000-a000-000000000000"}
    if schema.get("format") in told:
        return told[schema["format"]]
    if "cpr" in name.lower() and "cpr" in fact:
        return str(fact["cpr"])
    return (name or "tekst").ljust(schema.get("minLength", 1), "x")[: schema.get("maxLength")]
