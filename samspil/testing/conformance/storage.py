"""Storage: what the engine keeps of a flow is sealed, and what its steps hand on has no person in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import NamedTuple

from samspil import flow as steps
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.persons import planted
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.leaks.forms import leaks


@promise("read", one_schema=True)
def the_store_shows_no_person(trial: Trial, schema: str) -> None:
    """Outbox, quarantine, links and ledger are sealed: no byte of the store's file shows a person."""
    with Exchange(trial, schema, "source") as exchange:
        _damaged_night(trial, schema, exchange)
        found = leaks(planted(trial, schema), [exchange.stored])
        require(not found, f"the store shows {found} values of persons")


@promise("write", one_schema=True)
def the_store_shows_no_person_of_a_target(trial: Trial, schema: str) -> None:
    """The same of what is sent: receipts, references and ids of the target included."""
    with Exchange(trial, schema, "target") as exchange:
        exchange.night()
        found = leaks(planted(trial, schema), [exchange.stored])
        require(not found, f"the store shows {found} values of persons")


@promise("read", one_schema=True)
def a_pseudonym_needs_its_key(trial: Trial, schema: str) -> None:
    """With another key the same record has another pseudonym, so nobody without the key can look a person up."""
    seen = []
    for master in (bytes(range(32)), bytes(range(1, 33))):
        with Exchange(trial, schema, "source", master=master) as exchange:
            exchange.night()
            with closing(sqlite3.connect(exchange.path)) as database:
                seen.append({bytes(row[0]) for row in database.execute("SELECT key FROM links")})
                persons = {bytes(row[0]) for row in database.execute("SELECT person FROM outbox WHERE person NOT NULL")}
                seen[-1] |= persons
    require(seen[0] and seen[1], "nothing was stored")
    require(not seen[0] & seen[1], f"{len(seen[0] & seen[1])} pseudonyms are the same under another key")


@promise("read", one_schema=True)
def what_the_steps_hand_on_shows_no_person(trial: Trial, schema: str) -> None:
    """The run's number, its counts and its reasons have no person in them: Airflow stores and shows them."""
    with Exchange(trial, schema, "source") as exchange, exchange.hub() as hub:
        _damage(trial, schema)
        run = exchange.plan(hub)
        steps.guard(hub, run)
        steps.deliver(hub, run)
        counts = steps.reconcile(hub, run)
        require(isinstance(run, int), "a step hands on something else than a number")
        found = leaks(planted(trial, schema), [repr(counts), *counts.reasons, *trial.watch.logged])
        require(not found, f"what is handed on shows {found} values of persons")


@promise("read", one_schema=True)
def what_is_held_back_can_be_opened(trial: Trial, schema: str) -> None:
    """A sealed record opens with the key, whole, and only in its own place: another row's seal does not fit."""
    with Exchange(trial, schema, "source") as exchange:
        _damaged_night(trial, schema, exchange)
        with closing(sqlite3.connect(exchange.path)) as database:
            database.row_factory = _Entry.of
            rows = database.execute("SELECT key, fingerprint, payload FROM quarantine").fetchall()
        require(rows, "nothing was held back")
        with exchange.hub() as hub:
            held = hub.flow(exchange.flow).sealing.held
            raws = {bytes(raw) for raw in trial.read(schema).raws}
            raws |= {bytes(one.raw) for one in trial.read(schema).rejected}
            require(all(held(row) in raws for row in rows), "what was held back is not as it came")
            moved = attempt(lambda: held(rows[0]._replace(key=b"another row")))
            require(moved.error is not None, "a sealed record opens in another row's place")


class _Entry(NamedTuple):
    """A row of the quarantine, of nobody in particular."""

    key: bytes
    fingerprint: bytes
    payload: bytes
    person: bytes | None = None

    @classmethod
    def of(cls, _cursor: object, row: tuple[bytes, bytes, bytes]) -> _Entry:
        return cls(*row)


def _damage(trial: Trial, schema: str) -> None:
    keys = sorted(trial.facts(schema))
    trial.world.damage(schema, keys[0], "missing-field", trial.next_night())
    trial.world.damage(schema, keys[1], "bad-cpr", trial.next_night())
    trial.show_night()


def _damaged_night(trial: Trial, schema: str, exchange: Exchange) -> None:
    exchange.night()
    _damage(trial, schema)
    exchange.night()
