"""Records on their way to a declared system: in batches or one by one, each with a receipt of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from samspil.connector import Change, Receipt
from samspil.declared.soap.declaration import Receipt as Told
from samspil.declared.soap.declaration import Schema, Sending, Writing
from samspil.declared.soap.schemas import Element
from samspil.declared.soap.service import Service
from samspil.declared.soap.values import filled, got, put
from samspil.errors import Refused, Unavailable, reason_of
from samspil.xsd import RecordType

Open = dict[int, Change]  # those without a final receipt, by their place in the batch


class Delivery:
    """Writes one schema. ``places`` has where the record stands below an operation's request or its ``each``."""

    def __init__(
        self, service: Service, schema: Schema, writing: Writing, kind: RecordType, places: Mapping[str, str]
    ) -> None:
        self._service, self._schema, self._writing, self._kind, self._places = service, schema, writing, kind, places

    def write(self, batch: Sequence[Change], settings: Any) -> list[Receipt]:
        """A receipt per change. Raises Unavailable if some got no final one after all attempts."""
        receipts = self._unfit(batch)
        waiting = [place for place in range(len(batch)) if place not in receipts]
        for way, places in groupby(waiting, lambda place: self._way(batch[place])):
            receipts |= self._sent(way, {place: batch[place] for place in places}, settings)
        if missing := len(batch) - len(receipts):
            raise Unavailable(
                f"{missing} of {len(batch)} records got no receipt",
                system=self._service.system,
                reason="receipt-missing",
            )
        return [receipts[place] for place in range(len(batch))]

    def _way(self, change: Change) -> str:
        if change.action == "delete":
            return "delete"
        if self._writing.put:
            return "put"
        return "update" if change.their_id is not None and self._writing.update else "create"

    def _unfit(self, batch: Sequence[Change]) -> dict[int, Receipt]:
        """A receipt for each record that the WSDL refuses: one bad record would cost all that go with it."""
        receipts: dict[int, Receipt] = {}
        raws: dict[int, bytes] = {}
        for place, change in enumerate(batch):
            if self._way(change) not in self._writing.ways:
                receipts[place] = Receipt(refused=Refused(f"no-{change.action}", hint="the system has no way to do it"))
            elif change.action == "put":
                try:
                    raws[place] = self._kind.encode(change.record)
                except Refused as error:
                    receipts[place] = Receipt(refused=error)
        problems = self._kind.check(list(raws.values())) if raws else []
        for place, problem in zip(raws, problems, strict=True):
            if problem:
                receipts[place] = Receipt(refused=problem)
        return receipts

    def _sent(self, way: str, changes: Open, settings: Any) -> dict[int, Receipt]:
        sending = self._writing.ways[way]
        size = self._writing.batch if sending.each else 1
        receipts: dict[int, Receipt] = {}
        for start in range(0, len(changes), size):
            part = dict(list(changes.items())[start : start + size])
            for _ in range(settings.attempts):
                waiting = {place: change for place, change in part.items() if place not in receipts}
                if waiting:
                    receipts |= self._delivered(way, sending, waiting, settings)
        return receipts

    def _delivered(self, way: str, sending: Sending, changes: Open, settings: Any) -> dict[int, Receipt]:
        """Those receipts that are final. A batch that is refused as a whole is halved until one stands alone."""
        items = [self._item(way, sending, change, settings) for change in changes.values()]
        given = {sending.each: items} if sending.each else items[0]
        try:
            for attempt in self._service.soap.retried():
                with attempt:
                    answer = self._service.call(sending, given)
        except Refused as error:
            if len(changes) == 1:
                return dict.fromkeys(changes, Receipt(refused=error))
            pairs = list(changes.items())
            half = len(pairs) // 2
            first = self._delivered(way, sending, dict(pairs[:half]), settings)
            return first | self._delivered(way, sending, dict(pairs[half:]), settings)
        return self._final(answer, changes)

    def _item(self, way: str, sending: Sending, change: Change, settings: Any) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if sending.key:
            given[sending.key] = change.idempotency_key
        if sending.id and (change.their_id is not None or way == "delete"):
            given[sending.id] = change.their_id or self._key(change)
        if self._places.get(way):
            given[self._places[way]] = change.record
        item: dict[str, Any] = filled(sending.item, settings)
        return put(item, given) if sending.each else {**item, **given}

    def _final(self, answer: dict[str, Any], changes: Open) -> dict[int, Receipt]:
        wanted = self._writing.receipt
        answers = got(answer, wanted.each) or [] if wanted.each else [answer]
        if wanted.each and wanted.key:
            places = {change.idempotency_key.lower(): place for place, change in changes.items()}
            pairs = [(places.get(str(got(one, wanted.key)).lower()), one) for one in answers]
        elif len(answers) == len(changes):
            pairs = list(zip(changes, answers, strict=True))
        else:  # nobody can tell whose they are
            pairs = []
        found = {place: self._receipt(one, changes[place]) for place, one in pairs if place is not None}
        return {place: receipt for place, receipt in found.items() if receipt is not None}

    def _receipt(self, one: dict[str, Any], change: Change) -> Receipt | None:
        """None if the system failed at the record: it is to be sent again with the same key."""
        wanted = self._writing.receipt
        reference = _text(one, wanted.reference)
        status, code = _text(one, wanted.status), _text(one, wanted.code)
        if status and status in wanted.again:
            return None
        if status not in wanted.passed if wanted.status else code:
            return Receipt(change.their_id, reference, self._refused(one, wanted, code or status))
        return Receipt(_text(one, wanted.id) or change.their_id or self._key(change), reference)

    def _refused(self, one: dict[str, Any], wanted: Told, code: str) -> Refused:
        """The reason declared for the system's own code, or the code as one. Its texts may quote the record: they stay."""
        field = _text(one, wanted.field).removeprefix(f"{self._schema.record}.")
        return Refused(wanted.reasons.get(code) or f"rejected-{reason_of(code)}", field=self._kind.known(field))

    def _key(self, change: Change) -> str:
        return str(got(change.record, self._schema.key) or "")


def place(element: Element, schema: Schema, sending: Sending, *, deletes: bool) -> str:
    """The path of the record below an operation's request, or its ``each``; empty if a deletion does without."""
    within = element.find(sending.each) if sending.each else element
    found = within.below(schema.record) if within else []
    if not found or (deletes and sending.id and not found[0][1].required):
        return ""
    return found[0][0]


def _text(one: dict[str, Any], path: str) -> str:
    value = got(one, path) if path else None
    return "" if value is None else str(value)
