"""Writing: what is sent is held, each record answered by itself, and nothing else is touched."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from samspil.connector import Change
from samspil.testing.conformance.carried import differing, identical
from samspil.testing.conformance.dressing import LETTERS, NIGHTS, dressed_days, dressed_long, dressed_texts
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt

LINES = "Første linje\nanden linje, med 🙂 og  to mellemrum\n\n- og en til"
MARKUP = "=SUM(1;2) <b>fed</b> & \"citat\"; 'ét' \\ 100 % {x} ${y} é~"


@promise("write")
def what_is_written_is_held(trial: Trial, schema: str) -> None:
    """Every record that was receipted is held by the system, with the values that were sent."""
    batch = trial.puts(schema)
    before = set(trial.held(schema))
    trial.write(schema, batch)
    _held(trial, schema, batch, before)


@promise("write", needs={"fetch"})
def what_is_read_back_is_what_was_sent(trial: Trial, schema: str) -> None:
    """A record fetched by the id of its receipt is the record that was sent."""
    batch, connector = trial.puts(schema), trial.connector()
    for change, receipt in zip(batch, trial.write(schema, batch, by=connector), strict=True):
        require(receipt.their_id, "a receipt for a new record has no id")
        found = connector.fetch(schema, receipt.their_id or "")
        require(found is not None, "a record that was receipted is not found")
        wrong = differing(change.record, found or {})
        require(not wrong, f"read back, fields are other: {', '.join(wrong[:5])}")


@promise("write", needs={"fetch"})
def fetching_what_is_not_there_gives_none(trial: Trial, schema: str) -> None:
    """A record that the system does not have is None, and no error."""
    for unknown in (str(uuid.uuid4()), "no-such-record"):
        outcome = attempt(partial(trial.connector().fetch, schema, unknown))
        require(outcome.error is None, f"an id that is not there raised {type(outcome.error).__name__}")
        require(outcome.value is None, "an id that is not there was found")


@promise("write", needs={"batches"})
def receipts_come_in_order(trial: Trial, schema: str) -> None:
    """The receipts are in the order of the changes, however the batch is ordered."""
    batch, connector = trial.puts(schema), trial.connector()
    ids = [receipt.their_id for receipt in trial.write(schema, batch, by=connector)]
    require(len(set(ids)) == len(ids), "two records got the same id")
    updates = [
        change._replace(idempotency_key=str(uuid.uuid4()), their_id=own) for change, own in zip(batch, ids, strict=True)
    ]
    again = trial.write(schema, updates[::-1], by=connector)
    answered = [receipt.their_id or own for receipt, own in zip(again, ids[::-1], strict=True)]
    require(answered == ids[::-1], "with the batch turned round, the ids belong to other records")


@promise("write", needs={"batches"})
def a_refused_record_costs_no_other(trial: Trial, schema: str) -> None:
    """A record that cannot pass is refused by itself; those before and after it are taken."""
    batch = trial.puts(schema)
    for bad in lacking_a_field(trial, schema, batch[1].record):
        new = [trial.put(change.record) for change in batch]
        new[1] = trial.put(bad)
        receipts = trial.answered(schema, new)
        require(receipts[1].refused is not None, "a record without a required field was accepted")
        others = [receipt.refused for n, receipt in enumerate(receipts) if n != 1 and receipt.refused is not None]
        require(not others, f"with a bad record in the batch, {len(others)} good ones were refused: {others[:1]}")
        good = [change for n, change in enumerate(new) if n != 1]
        alone = [receipt.their_id for receipt in trial.write(schema, good)]
        ids = [receipt.their_id for n, receipt in enumerate(receipts) if n != 1]
        require(ids == alone, "with a bad record in the batch, the good ones got one another's ids")
        _held(trial, schema, good, set())
        return


@promise("write")
def a_refusal_says_why(trial: Trial, schema: str) -> None:
    """A refused record has a reason in kebab-case, and its field, if any, is one of the contract."""
    record = trial.puts(schema)[0].record
    fields = {path.replace("[]", "") for path in trial.subject.connector.fields(schema)}
    above = {path[:at] for path in fields for at in range(len(path)) if path[at] == "."}
    for bad in lacking_a_field(trial, schema, record):
        (receipt,) = trial.answered(schema, [trial.put(bad)])
        require(receipt.refused is not None, "a record without a required field was accepted")
        if receipt.refused is not None:
            reason, field = receipt.refused.reason, receipt.refused.field.replace("[]", "")
            require(reason == reason.lower() and reason and not set(reason) & set(" _.:"), f"reason {reason!r}")
            require(not field or field in fields | above, "the refusal names a field that the contract does not have")


@promise("write")
def an_update_replaces(trial: Trial, schema: str) -> None:
    """A changed record takes the place of the one before; there are not two."""
    first, second = two_versions(trial, schema)
    connector = trial.connector()
    (receipt,) = trial.write(schema, [trial.put(first)], by=connector)
    count = len(trial.held(schema))
    (updated,) = trial.write(schema, [trial.put(second, receipt.their_id)], by=connector)
    require(len(trial.held(schema)) == count, "an update made another record")
    require(updated.their_id in (None, receipt.their_id), "an update changed the record's id")
    require(any(not differing(second, held) for held in trial.held(schema).values()), "the new values are not held")


@promise("write", needs={"batches"})
def only_the_record_that_is_sent_is_touched(trial: Trial, schema: str) -> None:
    """Changing one record leaves every other as it is."""
    first, second = two_versions(trial, schema)
    others = trial.puts(schema)[1:]
    trial.write(schema, others)
    before = {key: dict(held) for key, held in trial.held(schema).items()}
    (receipt,) = trial.write(schema, [trial.put(first)])
    trial.write(schema, [trial.put(second, receipt.their_id)])
    after = trial.held(schema)
    lost = before.keys() - after.keys()
    require(not lost, f"{len(lost)} other records are gone")
    moved = [key for key, held in before.items() if not identical(held, after[key])]
    require(not moved, f"{len(moved)} other records were changed")
    require(len(after) == len(before) + 1, f"there are {len(after) - len(before)} more records, not one")


@promise("write", needs={"deletes"})
def a_deletion_deletes(trial: Trial, schema: str) -> None:
    """A deleted record is gone, and no other."""
    batch = trial.puts(schema)
    ids = [receipt.their_id for receipt in trial.write(schema, batch)]
    before = set(trial.held(schema))
    trial.write(schema, [Change("delete", batch[0].raw, ids[0], str(uuid.uuid4()))])
    gone = before - set(trial.held(schema))
    require(len(gone) == 1, f"one deletion took away {len(gone)} records")
    require(not any(not differing(batch[0].record, held) for held in trial.held(schema).values()), "it is still held")


@promise("write")
def letters_and_signs_survive_writing(trial: Trial, schema: str) -> None:
    """Danish letters and the signs that formats use themselves are held as they were sent, or refused: never altered."""
    for letters in (LETTERS, MARKUP, LINES):
        plain = trial.world.records(schema, trial.night)
        dressed = [fact for fact in (dressed_texts(one, letters) for one in plain) if letters in fact.values()]
        with Trial(trial.subject) as fresh:
            _held_or_refused(fresh, schema, trial.records(schema, dressed[:2]))


@promise("write")
def long_texts_are_whole_in_writing(trial: Trial, schema: str) -> None:
    """A text as long as the shared schema allows is held to its last character, or refused: never cut."""
    facts = [dressed_long(schema, fact) for fact in trial.world.records(schema, trial.night)]
    _held_or_refused(trial, schema, trial.records(schema, facts[:2]))


@promise("write")
def days_do_not_move_in_writing(trial: Trial, schema: str) -> None:
    """Leap days, clock changes and New Year are held as they were sent, or refused."""
    for day, moment in NIGHTS:
        facts = [dressed_days(fact, day, moment) for fact in trial.world.records(schema, trial.night)]
        with Trial(trial.subject) as fresh:
            _held_or_refused(fresh, schema, trial.records(schema, facts[:1]))


@promise("write")
def an_empty_batch_is_fine(trial: Trial, schema: str) -> None:
    """No changes, no receipts, and nothing held."""
    before = len(trial.held(schema))
    require(not trial.answered(schema, []), "an empty batch got receipts")
    require(len(trial.held(schema)) == before, "an empty batch changed something")


def _held(trial: Trial, schema: str, batch: list[Change], before: set[str]) -> None:
    """Broken unless each record of the batch is held as it was sent, and nothing else is new."""
    held = trial.held(schema)
    for change in batch:
        wrong = min((differing(change.record, record) for record in held.values()), key=len, default=["everything"])
        require(not wrong, f"what is held differs from what was receipted: {', '.join(wrong[:5])}")
    more = len(set(held) - before) - len(batch)
    require(not before or more <= 0, f"{more} more records are held than were sent")


def _held_or_refused(trial: Trial, schema: str, records: list[dict[str, Any]]) -> None:
    for record in records:
        (receipt,) = trial.answered(schema, [trial.put(record)])
        if receipt.refused is None:
            _held(trial, schema, [trial.put(record)], set())


def lacking_a_field(trial: Trial, schema: str, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The record without a required field that is not its key: the first such field at the top."""
    fields = trial.subject.connector.fields(schema)
    required = [path for path, field in fields.items() if field.required and path in record and "[" not in path]
    require(len(required) > 1, "the contract has no required field besides the key")
    return [{name: value for name, value in record.items() if name != required[-1]}]


def two_versions(trial: Trial, schema: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """One record as it is and as it is after a change that the mapping carries."""
    night = trial.next_night()
    for fact in trial.world.records(schema, trial.night):
        before = trial.records(schema, [fact])
        trial.world.change(schema, fact["id"], night)
        after = trial.records(schema, [one for one in trial.world.records(schema, night) if one["id"] == fact["id"]])
        if before and after and before != after:
            return before[0], after[0]
    raise AssertionError("the world has no change that the mapping carries")
