"""Evidence: every record read is accounted for, every record sent has its receipt, and the ledger shows any change."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from typing import Any

import msgspec

from samspil import flow as steps
from samspil import ledger, registry
from samspil.flow.preview import Preview
from samspil.testing.conformance.carried import leaves
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.leaks.forms import SHORTEST, leaks


@promise("read")
def the_counts_balance(trial: Trial, schema: str) -> None:
    """What was read is what was delivered, unchanged, filtered or held back; and it is all there was."""
    key = min(trial.facts(schema))
    there = len(trial.facts(schema))
    with Exchange(trial, schema, "source") as exchange:
        first = exchange.night()
        require(first.balances and first.read == there, f"{first.read} of {there} records were counted")
        require(first.delivered == there == len(exchange.taker.held), f"{first.delivered} of {there} were delivered")
        trial.world.damage(schema, key, "missing-field", trial.next_night())
        trial.show_night()
        second = exchange.night()
        require(second.balances and second.held_back == 1, f"one of {there} broke: {second.held_back} were held back")
        whole = second.read == there or trial.subject.connector.reads[schema].mode == "incremental"
        require(whole, f"{second.read} of {there} records were counted")


@promise("read")
def a_second_night_sends_nothing(trial: Trial, schema: str) -> None:
    """When nothing changed at the source, nothing is sent."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        puts = exchange.taker.puts
        again = exchange.night()
        require(exchange.taker.puts == puts, f"{exchange.taker.puts - puts} records were sent again")
        require(not (again.creates or again.updates or again.deleted), "a plan was made though nothing had changed")


@promise("read")
def one_change_sends_one_record(trial: Trial, schema: str) -> None:
    """When one record changed, one is sent."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        puts = exchange.taker.puts
        trial.world.change(schema, min(trial.facts(schema)), trial.next_night())
        trial.show_night()
        exchange.night()
        require(exchange.taker.puts - puts == 1, f"one record changed, {exchange.taker.puts - puts} were sent")


@promise("write")
def a_receipt_for_every_record(trial: Trial, schema: str) -> None:
    """Every record planned has its receipt, and what is receipted is held."""
    there = len(trial.world.records(schema, trial.night))
    with Exchange(trial, schema, "target") as exchange:
        counts = exchange.night()
        held = len(trial.held(schema))
        require(counts.balances and counts.read == there, f"{counts.read} of {there} records were counted")
        require(counts.receipts >= counts.delivered, f"{counts.receipts} receipts for {counts.delivered} deliveries")
        require(counts.delivered == held, f"{counts.delivered} records were receipted, {held} are held")
        require(counts.delivered, f"nothing of {there} was delivered: {dict(counts.reasons)}")


@promise("write", needs={"network"}, one_schema=True)
def a_crashed_delivery_is_resumed(trial: Trial, schema: str) -> None:
    """When answers are lost in the middle of a delivery, delivering again ends with every record held once."""
    for at in range(4):
        with Trial(trial.subject) as fresh, Exchange(fresh, schema, "target") as exchange, exchange.hub() as hub:
            run = exchange.plan(hub)
            steps.guard(hub, run)
            fresh.sandbox.faults.add("lost-answer", times=math.inf, after=at)
            attempt(lambda: steps.deliver(hub, run))  # noqa: B023
            fresh.quiet()
            steps.deliver(hub, run)
            counts = steps.reconcile(hub, run)
            held, there = len(fresh.held(schema)), counts.delivered
            require(held == there, f"lost from answer {at + 1} on: {there} records were receipted, {held} are held")
            if fresh.subject.connector.writes[schema].idempotency == "key":
                doubled = fresh.sandbox.doubled(schema)
                require(not doubled, f"lost from answer {at + 1} on: {len(doubled)} records were doubled")


@promise("write", one_schema=True)
def a_dry_run_writes_nothing(trial: Trial, schema: str) -> None:
    """A preview sends nothing to the target: no call, no connection, no record."""
    with Exchange(trial, schema, "target") as exchange, exchange.hub() as hub:
        changes = list(Preview(hub, exchange.flow))
        require(changes, "the preview shows nothing")
        require(not trial.sandbox.calls and not trial.watch.contacted, "the target was contacted")
        require(not trial.held(schema), "the target has records")


@promise("write")
def fields_outside_the_agreement_stay_at_home(trial: Trial, schema: str) -> None:
    """What the agreement does not list never reaches the target, in no field."""
    loaded = trial.mapping(schema, "to_theirs")
    needed = {
        node.path.split(".")[0].removesuffix("[]")
        for pair in loaded.resolution.every()
        for node in pair.ours
        if any(one.required for one in pair.theirs)
    }
    struct: Any = registry.schema(schema)
    names = struct.__struct_fields__
    lists = [name for name in names if name in needed or name in ("id", "cpr")]
    apart = [name for name in names if name not in lists]
    values = {
        value
        for fact in trial.world.records(schema, trial.night)
        for name in apart
        for _, value in leaves(fact[name])
        if isinstance(value, str) and len(value) > SHORTEST
    }
    shared = {
        value
        for fact in trial.world.records(schema, trial.night)
        for name in lists
        for _, value in leaves(fact[name])
        if isinstance(value, str)
    }
    with Exchange(trial, schema, "target", lists=lists) as exchange:
        exchange.night()
        held = [repr(record) for record in trial.held(schema).values()]
        found = leaks(values - shared, held)
        require(not found, f"{found} values of fields that the agreement does not list reached the target")


@promise("read", one_schema=True)
def the_ledger_verifies(trial: Trial, schema: str) -> None:
    """The chain of what was read and sent verifies, with purpose and legal basis, and has every record."""
    with Exchange(trial, schema, "source") as exchange:
        counts = exchange.night()
        with exchange.hub() as hub, hub.store.transaction() as connection:
            entries = ledger.verify(connection, trial.subject.municipality, hub.vault.signer().public_key())
            contexts = [
                msgspec.json.decode(batch.context) for batch in ledger.batches(connection, trial.subject.municipality)
            ]
        require(entries >= counts.delivered, f"{entries} entries for {counts.delivered} deliveries")
        require(contexts and all(one.get("purpose") and one.get("legal_basis") for one in contexts), "a purpose lacks")


@promise("read", one_schema=True)
def a_changed_ledger_is_found(trial: Trial, schema: str) -> None:
    """One changed byte anywhere in the ledger is found, and so is a batch that was taken out."""
    with Exchange(trial, schema, "source") as exchange:
        exchange.night()
        with closing(sqlite3.connect(exchange.path)) as database:
            before = database.execute("SELECT * FROM ledger").fetchall()
        (longest,) = sorted(before, key=lambda row: len(row[-1]))[-1:]
        for changed in (
            [(*row[:-1], _flipped(row[-1])) if row is longest else row for row in before],
            [(*row[:-2], row[-2].replace(b"a trial", b"another"), row[-1]) for row in before],
            before[1:],
        ):
            with closing(sqlite3.connect(exchange.path)) as database:
                database.execute("DELETE FROM ledger")
                database.executemany(f"INSERT INTO ledger VALUES ({', '.join('?' * len(before[0]))})", changed)
                database.commit()
            with exchange.hub() as hub, hub.store.transaction() as connection:
                key = hub.vault.signer().public_key()
                outcome = attempt(lambda: ledger.verify(connection, trial.subject.municipality, key))  # noqa: B023
            require(outcome.error is not None, "a changed ledger verifies")


def _flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]
