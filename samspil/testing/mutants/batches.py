"""Mutants that are wrong only in company: in a full batch, a mixed one, or about one person."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import Unavailable
from samspil.testing.mutants.mutant import made, mutant, strings

Base = type[Connector]
AS_ROWS = dict.fromkeys(("database", "data_warehouse"), "a row has every column, also the empty ones")


@mutant(
    "a_full_batch_is_taken_whole", excused=dict.fromkeys(AS_ROWS, "a full batch has more records than the kit's world")
)
def loses_the_last_of_a_full_batch(base: Base) -> Base:
    """Leaves the last record out when a batch is exactly full, as after a mistake of one."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        if 1 < len(batch) == self.writes[schema].batch:
            return [*base.write(self, schema, batch[:-1]), Receipt(batch[-1].their_id or str(uuid.uuid4()))]
        return base.write(self, schema, batch)

    return made(base, write=write)


@mutant("a_mixed_batch_is_answered_in_order")
def puts_before_it_deletes(base: Base) -> Base:
    """Sends deletions last, and gives the receipts in that order."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return base.write(self, schema, sorted(batch, key=lambda one: one.action == "delete"))

    return made(base, write=write)


@mutant("a_change_is_told_from_its_company")
def knows_a_batch_by_its_first(base: Base) -> Base:
    """Answers a batch whose first change it has sent before as it did then."""
    answered: dict[str, Sequence[Receipt]] = {}

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        first = batch[0].idempotency_key if batch else ""
        if len(answered.get(first, ())) != len(batch):
            answered[first] = base.write(self, schema, batch)
        return answered[first]

    return made(base, write=write)


@mutant("records_of_one_person_are_apart_in_writing")
def deletes_by_person(base: Base) -> Base:
    """Deletes everything of a person with one of the records."""
    written: list[tuple[Change, str | None]] = []

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        receipts = base.write(self, schema, batch)
        if any(one.action == "delete" for one in batch):
            gone = {text for one in batch if one.action == "delete" for text in _persons(one)}
            alike = [pair for pair in written if gone & _persons(pair[0])]
            written.clear()
            for change, own in alike:
                if own not in {one.their_id for one in batch if one.action == "delete"}:
                    again = change._replace(action="delete", their_id=own, idempotency_key=str(uuid.uuid4()))
                    base.write(self, schema, [again])
        pairs = zip(batch, receipts, strict=True)
        written.extend((one, got.their_id) for one, got in pairs if one.action == "put" and got.their_id)
        return receipts

    return made(base, write=write)


@mutant(
    "records_of_one_person_are_apart", excused={"cpr_extract": "it reads persons", "company_list": "it reads companies"}
)
def reads_one_of_a_person(base: Base) -> Base:
    """Keeps one record of each person, as in a dictionary by CPR number."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        seen: set[str] = set()
        for page in base.read(self, schema, since):
            kept = []
            for n, found in enumerate(base.decode(self, schema, page.raws)):
                persons = {text for text in strings(found) if _is_cpr(text)}
                if not persons or not persons <= seen:
                    kept.append(n)
                seen |= persons
            yield page._replace(raws=[page.raws[n] for n in kept], keys=[page.keys[n] for n in kept])

    return made(base, read=read)


@mutant("an_update_takes_away_what_is_gone", excused=AS_ROWS)
def keeps_what_is_gone(base: Base) -> Base:
    """Sends with an update the fields that the record had before and has no more."""
    before: dict[str, dict[str, Any]] = {}

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        merged = [_merged(one, before.get(one.their_id or "", {})) for one in batch]
        receipts = base.write(self, schema, merged)
        pairs = zip(merged, receipts, strict=True)
        before.update({got.their_id: one.record for one, got in pairs if got.their_id and not got.refused})
        return receipts

    return made(base, write=write)


@mutant("a_refused_record_costs_no_other", needs="writes")
def moves_ids_up_after_a_refusal(base: Base) -> Base:
    """Gives the ids of a batch in the places of the next ones when a record is refused."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        receipts = base.write(self, schema, batch)
        ids = [one.their_id for one in receipts if not one.refused]
        if len(ids) == len(receipts) or len(ids) < 2:
            return receipts
        moved = iter(ids[1:] + ids[:1])
        return [one if one.refused else one._replace(their_id=next(moved)) for one in receipts]

    return made(base, write=write)


@mutant("a_late_answer_doubles_nothing", only="reference")
def sends_anew_after_silence(base: Base) -> Base:
    """Sends a batch again under new keys, but only after a time-out."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        try:
            return base.write(self, schema, batch)
        except Unavailable as error:
            if error.reason != "timeout":
                raise
            return base.write(self, schema, [one._replace(idempotency_key=str(uuid.uuid4())) for one in batch])

    return made(base, write=write)


def _merged(change: Change, before: dict[str, Any]) -> Change:
    if change.action == "delete":
        return change
    now = {name: value for name, value in change.record.items() if value is not None}
    return change._replace(raw=msgspec.json.encode(_under(before, now)))


def _under(before: Any, now: Any) -> Any:
    """What is now, with what was before where there is nothing now."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {**before, **{name: _under(before.get(name), value) for name, value in now.items()}}
    return before if now is None else now


def _persons(change: Change) -> set[str]:
    return {text for text in strings(change.record) if _is_cpr(text)}


def _is_cpr(text: str) -> bool:
    plain = text.replace("-", "")
    return len(plain) == 10 and plain[:6].isdigit()
