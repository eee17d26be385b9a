"""Mutants that send again wrongly."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from samspil.connector import Change, Connector, Receipt
from samspil.errors import SamspilError, Unavailable
from samspil.testing.mutants.mutant import made, mutant
from samspil.testing.world import PREFIX

Base = type[Connector]


@mutant(
    "the_same_batch_twice_changes_nothing",
    "a_lost_answer_doubles_nothing",
    "a_lost_connection_doubles_nothing",
    "a_half_done_batch_is_finished",
    "a_crashed_delivery_is_resumed",
    excused={
        "database": "a row's own id decides",
        "data_warehouse": "a row's own id decides",
        "star": "it looks an activity up by its own id when the system has it already",
    },
)
def has_a_new_key_each_time(base: Base) -> Base:
    """Sends a change again as if it were another."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        return base.write(self, schema, [one._replace(idempotency_key=str(uuid.uuid4())) for one in batch])

    return made(base, write=write)


@mutant("creating_again_makes_no_double", "the_same_batch_twice_changes_nothing", "what_is_written_is_held")
def gives_a_new_id_each_time(base: Base) -> Base:
    """Sends a record under a new id of ours each time."""
    ours = re.compile(rf"^({'|'.join(PREFIX.values())})\d{{10}}$")

    def another(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: another(below) for name, below in value.items()}
        return f"{value[:8]}{uuid.uuid4().int % 100_000:05}" if isinstance(value, str) and ours.match(value) else value

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        changes = [
            one._replace(raw=msgspec.json.encode(another(one.record)), idempotency_key=str(uuid.uuid4()))
            for one in batch
        ]
        return base.write(self, schema, changes)

    return made(base, write=write)


@mutant(
    "a_busy_target_costs_nothing",
    "a_garbled_receipt_is_no_receipt",
    "a_cut_receipt_is_no_receipt",
    "an_empty_receipt_is_no_receipt",
    "a_half_done_batch_is_finished",
)
def hopes_for_the_best(base: Base) -> Base:
    """Gives receipts when the answer went wrong, and for what was not sent."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        try:
            return base.write(self, schema, batch[:1]) and [*base.write(self, schema, batch)]
        except SamspilError:
            return [Receipt(one.their_id or str(uuid.uuid4())) for one in batch]

    return made(base, write=write)


@mutant("deleting_again_is_harmless")
def deletes_once(base: Base) -> Base:
    """Raises when it is to delete what it has deleted."""
    deleted: set[str] = set()

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        keys = {one.idempotency_key for one in batch if one.action == "delete"}
        if keys & deleted:
            raise Unavailable("is gone", system="mutant")
        deleted.update(keys)
        return base.write(self, schema, batch)

    return made(base, write=write)


@mutant("a_conflict_is_told")
def loses_what_is_gone(base: Base) -> Base:
    """Takes an update of a record that it has deleted for done."""
    gone: set[str] = set()

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        kept = [one for one in batch if one.action == "delete" or one.their_id not in gone]
        receipts = iter(base.write(self, schema, kept)) if kept else iter(())
        found = [next(receipts) if one in kept else Receipt(one.their_id) for one in batch]
        gone.update(one.their_id for one in batch if one.action == "delete" and one.their_id)
        return found

    return made(base, write=write)
