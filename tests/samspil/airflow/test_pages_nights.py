"""What the pages read of a store, on both databases, and that they can only read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from samspil.agreement import load_municipality
from samspil.airflow.pages import nights
from samspil.errors import Unavailable
from samspil.store import Store, breakers, quarantine, runs, tables
from samspil.store.quarantine import Held
from samspil.store.runs import State
from schemas import SCHEMAS

FOLDER = Path(__file__).parent.parent.parent.parent / "dags" / "municipalities"
FILE = load_municipality(FOLDER / "randers.yaml", SCHEMAS)
FLOW = FILE.flow("journal-attendance-jobcenter")
COUNTS = {"read": 5, "unchanged": 3, "held_new": 2}


@pytest.fixture
def used(store, store_url, monkeypatch) -> str:
    """A store in which the flow ran twice, and once only to send the quarantine through again."""
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    with store.transaction() as connection:
        flow = runs.flow_id(connection, "730", FLOW.name)
        for key in ("first night", "second night", "replay 1.0"):
            run = runs.start(connection, flow, key).id
            runs.change(connection, run, state=State.DONE, counts=COUNTS)
        quarantine.add(
            connection, flow, 2, [Held(bytes([n]), None, b"f", "map", "bad-date", "", "", b"") for n in range(2)]
        )
    return FLOW.municipality.code


def test_a_flow_stands_where_its_latest_night_left_it(used):
    with nights.looking(used) as connection:
        found = nights.standing(connection, FILE, FLOW)
        assert ("second night", 2, 0) == (found.night.run.key, found.held_back, found.held_by_target)
        assert (5, 2, True) == (found.night.counts.read, found.night.counts.held_back, found.night.counts.balances)
        assert ["second night", "first night"] == [night.run.key for night in nights.history(connection, FLOW)]
        assert [("map", "bad-date", 2)] == [(r.stage, r.reason, r.records) for r in nights.reasons(connection, FLOW)]


def test_the_database_itself_refuses_to_write(used):
    with pytest.raises(Unavailable), nights.looking(used) as connection:
        connection.execute(insert(tables.flows).values(municipality="730", name="x"))


def test_a_store_without_tables_is_an_empty_one(store_url, monkeypatch):
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    with nights.looking("730") as connection:
        assert nights.Standing(FLOW) == nights.standing(connection, FILE, FLOW)
        assert ([], []) == (list(nights.history(connection, FLOW)), list(nights.reasons(connection, FLOW)))


def test_a_flow_tells_which_of_its_systems_is_away_since_when_and_what_is_not_sent(used, store):
    with store.transaction() as connection:
        flow = runs.flow_id(connection, "730", FLOW.name)
        run = runs.start(connection, flow, "third night").id
        runs.change(connection, run, state=State.APPROVED, pending=True, started=1000.0)
        row = {"key": b"k", "person": None, "action": tables.PUT, "fingerprint": b"f", "payload": b""}
        connection.execute(insert(tables.outbox), [{"id": tables.first_id(run) + n, **row} for n in (1, 2)])
    with nights.looking(used) as connection:
        assert (2, 1000.0, "") == nights.standing(connection, FILE, FLOW).waiting
    with store.transaction() as connection:
        for moment in (2000.0, 3000.0):
            breakers.fail(connection, "730", FILE.systems["jobcenter"].connection, "timeout", moment)
        breakers.fail(connection, "730", "another", "timeout", 500.0)
        breakers.fail(connection, "760", FILE.systems["journal"].connection, "timeout", 500.0)
    with nights.looking(used) as connection:
        assert (2, 2000.0, "jobcenter") == nights.standing(connection, FILE, FLOW).waiting


def test_a_flow_that_never_ran_tells_it_too(store, store_url, monkeypatch):
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    with store.transaction() as connection:
        breakers.fail(connection, "730", FILE.systems["journal"].connection, "timeout", 2000.0)
    with nights.looking("730") as connection:
        assert (0, 2000.0, "journal") == nights.standing(connection, FILE, FLOW).waiting


def test_in_a_separated_store_each_is_read_by_a_role_of_its_own_and_nothing_is_written(separated, monkeypatch):
    """What the process of the pages needs: a role that only reads for each municipality, by one setting."""
    for code in ("730", "760"):
        with closing(Store(separated.role(f"w_{code}", code))) as store, store.transaction() as connection:
            runs.start(connection, runs.flow_id(connection, code, FLOW.name), f"night of {code}")
        url = separated.role(f"pages_{code}", code, writes=False)
    monkeypatch.setenv("SAMSPIL_STORE", url.replace("pages_760", "pages_{municipality}"))
    for code in ("730", "760"):
        with nights.looking(code) as connection:
            assert [f"night of {code}"] == connection.execute(select(tables.runs.c.key)).scalars().all()
    monkeypatch.setenv("SAMSPIL_STORE", url)
    with pytest.raises(Unavailable, match="AccessError"), nights.looking("730"):
        pass
