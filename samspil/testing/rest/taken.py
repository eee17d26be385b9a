"""What a declared system takes: records checked strictly, kept by the sender's id, and never twice for one key."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

import msgspec

from samspil.declared.rest.answer import at
from samspil.declared.rest.declaration import Declared, Write
from samspil.openapi import Contract, Operation
from samspil.testing.rest.body import Problem, closed, problem
from samspil.testing.rest.pages import put
from samspil.testing.sandbox import Kept


class Said(NamedTuple):
    """An answer: its status and its document, None if it has none."""

    status: int
    document: Any


class Taken:
    """The writes of one schema. ``held`` is the sandbox's: records by the sender's id."""

    def __init__(self, declared: Declared, write: Write, contract: Contract, held: Kept) -> None:
        self._declared, self._write, self._contract, self._held = declared, write, contract, held
        self._record = closed(contract, contract.component(declared.record))
        self._answers: dict[str, tuple[bytes, Said]] = {}  # idempotency key → what was asked and answered
        self._their_ids: dict[str, str] = {}  # the system's id → the sender's
        self._numbers = count(1)

    def found(self, their_id: str) -> dict[str, Any] | None:
        """A record by the system's own id."""
        return self._held.get(self._their_ids.get(their_id, ""))

    def once(self, key: str, asked: bytes, act: Any) -> Said:
        """The same key again is answered the same and does nothing; with another content it is an error."""
        if key not in self._answers:
            self._answers[key] = asked, act()
        before, said = self._answers[key]
        return said if before == asked else self.refusal(409, Problem("idempotency-key-reused", ""))

    def call(self, request: Any, their_id: str | None, *, own: str = "") -> Said:
        """Put the record of a request of its own. ``own``: the record's field that is its id in the path."""
        key, within = self._write.key.field, self._write.within
        if not isinstance(request, dict):
            return self.refusal(400, Problem("bad-type", ""))
        wanted = {within, key} - {""} if within else set()
        if within and set(request) != wanted:
            return self.refusal(422, Problem("unknown-field" if set(request) - wanted else "missing-field", ""))
        record = request[within] if within else {name: value for name, value in request.items() if name != key}
        return self.put(record, their_id, own=own)

    def put(self, record: Any, their_id: str | None, *, own: str = "") -> Said:
        """Create (``their_id`` None) or replace a record."""
        wrong = problem(self._record, record)
        if wrong is not None:
            return self.refusal(422, wrong)
        sender = str(record[self._declared.key])
        if own:  # the path names the record, so that a second put replaces the first
            if str(record.get(own)) != their_id:
                return self.refusal(422, Problem("other-id", own))
            created = their_id not in self._their_ids
        else:
            created = their_id is None
            if created and sender in self._held:
                return self.refusal(409, Problem("already-exists", self._declared.key))
            if not created and self._their_ids.get(their_id or "") != sender:
                return self.refusal(404, Problem("not-found", ""))
        number = their_id if their_id is not None else f"{self._declared.record[:1]}{next(self._numbers):08d}"
        self._their_ids[number] = sender
        if not own or self._held.get(sender) != record:
            self._held[sender] = record
        return Said(201 if created else 200, self._accepted(number))

    def delete(self, their_id: str) -> Said:
        """Take a record away."""
        sender = self._their_ids.pop(their_id, None)
        if sender is None:
            return self.refusal(404, Problem("not-found", ""))
        del self._held[sender]
        return Said(200, self._accepted(their_id))

    def refusal(self, status: int, wrong: Problem) -> Said:
        """An answer that says what is wrong, in the system's own codes and where it has room for them."""
        rules = self._write.receipt
        code = next((theirs for theirs, ours in rules.reasons.items() if ours == wrong.reason), wrong.reason)
        document: Any = {} if rules.code else {"error": wrong.reason}
        document = put(document, rules.code, code) if rules.code else document
        return Said(status, put(document, rules.field, wrong.field) if rules.field and wrong.field else document)

    def batch(self, request: Any, call: Operation, *, half: bool) -> Said:
        """Many at once, each answered by itself; ``half`` of them are, when something goes wrong."""
        many, receipt = self._write.put, self._write.receipt
        if many is None or call.body is None:
            return self.refusal(404, Problem("not-found", ""))
        items = request.get(many.each) if isinstance(request, dict) else None
        if not isinstance(items, list) or not 1 <= len(items) <= self._write.batch or set(request) != {many.each}:
            return self.refusal(400, Problem("out-of-range", many.each))
        results = []
        for item in items[: len(items) // 2] if half else items:
            if not isinstance(item, dict) or set(item) - {many.key, many.id, many.within} or not item.get(many.key):
                return self.refusal(400, Problem("unknown-field", many.each))
            asked = msgspec.json.encode(item, order="deterministic")
            status, document = self.once(
                item[many.key], asked, lambda item=item: self.put(item.get(many.within), item.get(many.id))
            )
            result = put(document, receipt.key, item[many.key])
            results.append(put(result, receipt.status, status) if receipt.status else result)
        return Said(200, put({}, receipt.each, results))

    def _accepted(self, number: str) -> Any:
        receipt = self._write.receipt
        document = put({}, receipt.id, number)
        if receipt.reference:
            document = put(document, receipt.reference, f"KV-{len(self._answers) + 1:06d}")
        return put(document, receipt.code, receipt.passed[0]) if receipt.code and receipt.passed else document


def key_of(write: Write, headers: Any, request: Any) -> str | None:
    """The idempotency key of a request of its own; None if it should have one and has none, "" if it need not."""
    if write.key.header:
        return headers.get(write.key.header) or None
    if write.key.field and request is not None:
        found = at(request, write.key.field)
        return found if isinstance(found, str) and found else None
    return ""
