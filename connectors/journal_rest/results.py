"""The journal's answer to a batch, as receipts. What it says is shown only as far as the contract knows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from samspil import openapi
from samspil.connector import Receipt
from samspil.errors import Refused

CONTRACT = Path(__file__).with_name("openapi.yaml")

REASONS = {
    "required": "missing-field",
    "type": "bad-type",
    "date": "bad-date",
    "code": "unknown-code",
    "cpr": "bad-cpr",
    "length": "too-long",
    "range": "out-of-range",
    "unknown": "unknown-field",
    "duplicate": "already-exists",
    "idempotency-key": "idempotency-key-reused",
    "not-found": "not-found",
}


class Fault(msgspec.Struct):
    """What is wrong with one field."""

    code: str = ""
    field: str = ""


class Result(msgspec.Struct, rename="camel"):
    """The answer to one item."""

    idempotency_key: str
    status: int
    id: str | None = None
    receipt: str = ""
    errors: list[Fault] = []


class _Answer(msgspec.Struct):
    results: list[Result]


def results(body: bytes, keys: Sequence[str]) -> list[Result] | None:
    """One result per idempotency key, in that order; None if the answer lacks one or is none."""
    try:
        found = {result.idempotency_key: result for result in msgspec.json.decode(body, type=_Answer).results}
    except msgspec.MsgspecError:
        return None
    return [found[key] for key in keys] if found.keys() >= set(keys) else None


def receipt(result: Result) -> Receipt:
    """The receipt for one result; a refusal names the first field that the contract has."""
    if result.status in (200, 201):
        return Receipt(their_id=result.id, reference=result.receipt)
    fault = result.errors[0] if result.errors else Fault()
    fields = openapi.fields(CONTRACT, "CourseOrder")
    path = re.sub(r"\[\d+\]", "[]", fault.field)
    refused = Refused(REASONS.get(fault.code, f"status-{result.status}"), field=path if path in fields else "")
    return Receipt(their_id=result.id, reference=result.receipt, refused=refused)
