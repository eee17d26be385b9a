"""Writing as declared, one by one or in batches, with a receipt for each change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from samspil.answer import Answer
from samspil.connector import Change, Field, Receipt
from samspil.declared.rest.answer import at
from samspil.declared.rest.caller import Caller
from samspil.declared.rest.declaration import Put, Write
from samspil.errors import Refused

PART = re.compile(r"\{([^{}]+)\}")
GOOD = range(200, 300)


class Writing:
    """The writes of one schema. ``fields`` are those of its contract: no other is named in a refusal."""

    def __init__(self, caller: Caller, write: Write, fields: Mapping[str, Field]) -> None:
        self._caller, self._write, self._fields = caller, write, fields

    def send(self, changes: Sequence[Change]) -> list[Receipt]:
        """Receipts in the order of the changes. Raises AccessError or Unavailable."""
        many = self._write.put
        if many is None:
            return [self._delete(one) if one.action == "delete" else self._put(one) for one in changes]
        receipts: list[Receipt] = []
        puts: list[Change] = []
        for change in changes:
            if change.action == "put":
                puts.append(change)
                continue
            receipts += self._puts(puts, many)
            puts = []
            receipts.append(self._delete(change))
        return receipts + self._puts(puts, many)

    def _put(self, change: Change) -> Receipt:
        write = self._write
        call = write.create if change.their_id is None else write.update
        method, path = call.split(" ", 1)
        names = PART.findall(path)
        if change.their_id is not None:
            parts = dict.fromkeys(names, change.their_id)
        else:
            record = change.record if names else {}
            parts = {name: str(record.get(name) or "") for name in names}
        own = next(iter(parts.values()), None)
        try:
            answer = self._caller.send(
                method, path, parts=parts, data=self._body(change), headers=self._headers(change, body=True)
            )
        except Refused as refused:
            return Receipt(refused=refused)
        return self._receipt(call, answer, own)

    def _delete(self, change: Change) -> Receipt:
        if change.their_id is None:
            return Receipt(refused=Refused("no-id", hint="it was never created there"))
        method, path = self._write.delete.split(" ", 1)
        parts = dict.fromkeys(PART.findall(path), change.their_id)
        try:
            answer = self._caller.send(method, path, parts=parts, headers=self._headers(change, body=False))
        except Refused as refused:
            return Receipt(refused=refused)
        if answer.status == 404:  # gone already: a resend, or the system removed it itself
            return Receipt(their_id=change.their_id)
        return self._receipt(self._write.delete, answer, change.their_id)

    def _puts(self, changes: Sequence[Change], many: Put) -> list[Receipt]:
        if not changes:
            return []
        receipt = self._write.receipt
        items = [
            {many.key: change.idempotency_key, many.within: msgspec.Raw(change.raw)}
            | ({many.id: change.their_id} if change.their_id is not None else {})
            for change in changes
        ]
        method, path = many.call.split(" ", 1)
        body = msgspec.json.encode({many.each: items})
        answer = self._caller.send(method, path, data=body, headers={"Content-Type": "application/json"})
        document = self._document(many.call, answer)
        if answer.status not in GOOD or self._code(document) not in (None, *receipt.passed):
            raise self._strange(many.call, answer)
        given = at(document, receipt.each)
        results = (
            {one.get(receipt.key): one for one in given if isinstance(one, dict)} if isinstance(given, list) else {}
        )
        receipts: list[Receipt] = []
        for change in changes:
            result = results.get(change.idempotency_key)
            status = at(result, receipt.status) if receipt.status else answer.status
            refused = self._refused(status, result)
            if result is None or (refused is None and status not in GOOD):
                raise self._caller.strange(f"{many.call}: did not answer every record", "answer-incomplete")
            their_id = _text(at(result, receipt.id)) or change.their_id
            if their_id is None and refused is None:
                raise self._caller.strange(f"{many.call}: gave a record no id", "answer-invalid")
            receipts.append(Receipt(their_id, _text(at(result, receipt.reference)) or "", refused))
        return receipts

    def _body(self, change: Change) -> bytes:
        """The request: the record as it is, or in a property, with the key beside it if that is where it goes."""
        within, key = self._write.within, self._write.key.field
        if within:
            return msgspec.json.encode(
                {within: msgspec.Raw(change.raw)} | ({key: change.idempotency_key} if key else {})
            )
        return msgspec.json.encode({**change.record, key: change.idempotency_key}) if key else change.raw

    def _headers(self, change: Change, *, body: bool) -> dict[str, str]:
        header = self._write.key.header
        return ({"Content-Type": "application/json"} if body else {}) | (
            {header: change.idempotency_key} if header else {}
        )

    def _receipt(self, call: str, answer: Answer, known: str | None) -> Receipt:
        """The receipt for one answer; ``known`` is the system's id as far as it is known already."""
        document = self._document(call, answer)
        refused = self._refused(answer.status, document)
        if refused is not None:
            return Receipt(refused=refused)
        if answer.status not in GOOD:
            raise self._strange(call, answer)
        if self._code(document) not in (None, *self._write.receipt.passed):
            raise self._strange(call, answer)
        receipt = self._write.receipt
        their_id = known or _text(at(document, receipt.id))
        if their_id is None:
            raise self._caller.strange(f"{call}: gave the record no id", "answer-invalid")
        return Receipt(their_id, _text(at(document, receipt.reference) if receipt.reference else None) or "")

    def _document(self, call: str, answer: Answer) -> Any:
        """The decoded body; nothing if there is none. What is no JSON says nothing in a refusal, and ends a success."""
        try:
            return msgspec.json.decode(answer.body) if answer.body.strip() else None
        except (msgspec.MsgspecError, RecursionError, ValueError):
            if answer.status in GOOD:
                raise self._caller.strange(f"{call}: the answer is no JSON", "answer-invalid") from None
            return None

    def _code(self, document: Any) -> str | None:
        """The answer's code as a text, None if it has none."""
        return _text(at(document, self._write.receipt.code)) if self._write.receipt.code else None

    def _refused(self, status: Any, document: Any) -> Refused | None:
        """Why this record is refused, None if it is not. Only what the contract and the declaration know is shown."""
        rules = self._write.receipt
        code = self._code(document)
        known = rules.reasons.get(code) if code is not None and code not in rules.passed else None
        if status not in rules.refused and not (status in GOOD and known):
            return None
        field = re.sub(r"\[\d+\]", "[]", _text(at(document, rules.field)) or "") if rules.field else ""
        return Refused(known or f"status-{status}", field=field if field in self._fields else "")

    def _strange(self, call: str, answer: Answer) -> Exception:
        what = "a business error" if answer.status in GOOD else f"status {answer.status}"
        reason = "business-error" if answer.status in GOOD else f"status-{answer.status}"
        return self._caller.strange(f"{call}: answered with {what} that is about no record", reason)


def _text(value: object) -> str | None:
    """An id, a code or a number as text; None for nothing, or for what is none."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
