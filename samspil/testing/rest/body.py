"""Requests held against the contract: closed JSON schemas, and what is wrong with a body."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from samspil.openapi import DEEPEST, Contract, Schema

REASONS = {
    "required": "missing-field",
    "additionalProperties": "unknown-field",
    "type": "bad-type",
    "enum": "unknown-code",
    "const": "unknown-code",
    "format": "bad-date",
    "pattern": "bad-format",
    "minLength": "too-short",
    "maxLength": "too-long",
    "maxItems": "too-many",
}

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and _fits(date, value))


@_FORMATS.checks("date-time")
def _is_moment(value: object) -> bool:
    """With its offset, as RFC 3339 has it."""
    if not isinstance(value, str):
        return True
    return "T" in value and (value[-1] == "Z" or value[-6] in "+-") and _fits(datetime, value)


class Problem(NamedTuple):
    """The first thing that is wrong: a reason in our words, and the field's dotted path."""

    reason: str
    field: str


def closed(contract: Contract, schema: Schema, *, deep: int = DEEPEST) -> dict[str, Any]:
    """A contract's schema as a JSON schema that stands alone: nothing unknown and nothing that is only read passes."""
    found = contract.resolved(schema)
    kept: dict[str, Any] = {
        name: value for name, value in found.items() if name not in ("properties", "required", "allOf", "items")
    }
    if "properties" in found or ("allOf" in found and contract.object(found)[0]):
        properties, required = contract.object(found)
        written = {name: one for name, one in properties.items() if not contract.resolved(one).get("readOnly")}
        kept |= {
            "type": "object",
            "properties": {name: closed(contract, one, deep=deep - 1) for name, one in written.items() if deep},
            "required": sorted(required & set(written)),
            "additionalProperties": False,
        }
    elif "allOf" in found:
        for part in found["allOf"]:
            kept = closed(contract, part, deep=deep - 1) | kept
    if "items" in found:
        kept["items"] = closed(contract, found["items"], deep=deep - 1)
    if kept.pop("nullable", False):  # OpenAPI 3.0's way
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept:
            kept["enum"] = [*kept["enum"], None]
    return kept


def problem(schema: Schema, value: Any) -> Problem | None:
    """What is wrong with a value, the nearest to its top first; None if it is right."""
    found = sorted(Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value), key=_depth)
    return _said(found[0]) if found else None


def _said(error: ValidationError) -> Problem:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    keyword = str(error.validator)
    if keyword in ("required", "additionalProperties"):
        value = error.instance if isinstance(error.instance, dict) else {}
        schema = error.schema if isinstance(error.schema, dict) else {}
        lacking = [name for name in schema.get("required", ()) if name not in value]
        unknown = [name for name in value if name not in schema.get("properties", {})]
        path += "".join(f".{name}" for name in (lacking if keyword == "required" else unknown)[:1])
    reason = REASONS.get(keyword, "out-of-range")
    return Problem("bad-cpr" if reason == "bad-format" and "cpr" in path.lower() else reason, path.lstrip("."))


def _depth(error: ValidationError) -> int:
    return len(error.absolute_path)


def _fits(kind: type[date], value: str) -> bool:
    try:
        kind.fromisoformat(value)
    except ValueError:
        return False
    return True
