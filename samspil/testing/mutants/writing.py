"""Mutants that write wrongly."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from samspil.connector import Change, Connector, Receipt
from samspil.errors import Refused, Unavailable
from samspil.testing.mutants.mutant import made, mutant, texts
from samspil.testing.mutants.reading import leapless

Base = type[Connector]


@mutant("what_is_written_is_held", "a_receipt_for_every_record", "an_update_replaces")
def throws_records_away(base: Base) -> Base:
    """Gives receipts and sends nothing."""
    return made(base, write=lambda _self, _schema, batch: [Receipt(str(uuid.uuid4())) for _ in batch])


@mutant("what_is_read_back_is_what_was_sent")
def fetches_another(base: Base) -> Base:
    """Gives the record that it fetched first, whatever is asked for."""

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any] | None:
        found = base.fetch(self, schema, their_id)
        return self.__dict__.setdefault("first", found) if found else None

    return made(base, fetch=fetch)


@mutant("fetching_what_is_not_there_gives_none")
def cannot_say_no(base: Base) -> Base:
    """Takes a record that is not there for a fault."""

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any]:
        found = base.fetch(self, schema, their_id)
        if found is None:
            raise Unavailable("is not there", system="mutant")
        return found

    return made(base, fetch=fetch)


@mutant("an_echo_is_not_a_change", "what_is_read_back_is_what_was_sent")
def marks_what_it_fetches(base: Base) -> Base:
    """Adds a remark to what it fetches."""

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any] | None:
        found = base.fetch(self, schema, their_id)
        return _marked(found) if found else None

    return made(base, fetch=fetch)


@mutant("receipts_come_in_order")
def mixes_receipts(base: Base) -> Base:
    """Gives the receipts of a batch in the order of their ids."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return sorted(base.write(self, schema, batch), key=lambda receipt: receipt.their_id or "")

    return made(base, write=write)


@mutant("a_refused_record_costs_no_other")
def refuses_all_or_nothing(base: Base) -> Base:
    """Refuses a whole batch for one record."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        receipts = base.write(self, schema, batch)
        refused = next((one.refused for one in receipts if one.refused), None)
        return [one._replace(refused=refused) for one in receipts] if refused else receipts

    return made(base, write=write)


@mutant("a_refused_record_costs_no_other", "a_refusal_says_why", "a_conflict_is_told")
def hides_refusals(base: Base) -> Base:
    """Takes a refusal for a receipt."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return [one._replace(refused=None) for one in base.write(self, schema, batch)]

    return made(base, write=write)


@mutant("a_refusal_says_why")
def refuses_in_its_own_words(base: Base) -> Base:
    """Has reasons that nobody can count."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        odd = Refused("Error 17: see the log", field="the third one")
        return [one._replace(refused=odd) if one.refused else one for one in base.write(self, schema, batch)]

    return made(base, write=write)


@mutant("an_update_replaces")
def ignores_updates(base: Base) -> Base:
    """Takes an update for done when the record is there."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        new = [one for one in batch if one.their_id is None or one.action == "delete"]
        receipts = iter(base.write(self, schema, new)) if new else iter(())
        return [next(receipts) if one in new else Receipt(one.their_id) for one in batch]

    return made(base, write=write)


@mutant("only_the_record_that_is_sent_is_touched")
def touches_another(base: Base) -> Base:
    """Deletes a record that it wrote before whenever it changes one."""
    written: list[Change] = []

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        receipts = base.write(self, schema, batch)
        for one in batch:
            if one.their_id is not None and written:
                base.write(self, schema, [written.pop(0)._replace(action="delete", idempotency_key=str(uuid.uuid4()))])
        pairs = zip(batch, receipts, strict=True)
        written.extend(one._replace(their_id=got.their_id) for one, got in pairs if one.their_id is None)
        return receipts

    return made(base, write=write)


@mutant("a_deletion_deletes")
def ignores_deletions(base: Base) -> Base:
    """Gives receipts for deletions and deletes nothing."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        puts = [one for one in batch if one.action == "put"]
        receipts = iter(base.write(self, schema, puts)) if puts else iter(())
        return [next(receipts) if one.action == "put" else Receipt(one.their_id) for one in batch]

    return made(base, write=write)


@mutant("letters_and_signs_survive_writing")
def writes_a_to_z(base: Base) -> Base:
    """Writes every other letter as a question mark."""
    return _rewritten(base, lambda record: texts(record, lambda text: text.encode("ascii", "replace").decode()))


@mutant("days_do_not_move_in_writing")
def writes_no_leap_day(base: Base) -> Base:
    """Writes 29 February as the day before."""
    return _rewritten(base, _leapless)


@mutant("an_empty_batch_is_fine")
def needs_a_record(base: Base) -> Base:
    """Falls over a batch without records."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return base.write(self, schema, batch) if batch[0] else []

    return made(base, write=write)


def _rewritten(base: Base, change: Callable[[dict[str, Any]], Any]) -> Base:
    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return base.write(self, schema, [one._replace(raw=msgspec.json.encode(change(one.record))) for one in batch])

    return made(base, write=write)


def _marked(record: dict[str, Any]) -> dict[str, Any]:
    marked: dict[str, Any] = texts(record, lambda text: f"{text} (hentet)")
    return marked


def _leapless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _leapless(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_leapless(below) for below in value]
    return leapless(value) if isinstance(value, str) else value
