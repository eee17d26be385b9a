"""plan writes nothing, shows no person, and apply then does what it said."""

import re
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, select, text

from samspil.flow.difference import HIDDEN
from samspil.flow.preview import Preview
from samspil.hub import Hub

TOWN = "ringkobing_skjern"
NAME = "Ringkøbing-Skjern"
NOW = f"{NAME}: what a run would do now"
ATTENDANCE = "journal-attendance-jobcenter"
ORDER = "jobcenter-course_order-journal"


def stored(url: str) -> dict:
    """Everything in a store: the bytes of SQLite's files, PostgreSQL's rows and the numbers it would give next."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*") if ".lock" not in file.name}
    engine = create_engine(url)
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        rows = {
            name: sorted(map(str, connection.execute(select(table)).all())) for name, table in metadata.tables.items()
        }
        numbers = connection.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all()
    engine.dispose()
    return {**rows, "numbers": sorted(map(str, numbers))}


def test_a_plan_before_the_first_night_makes_no_store_and_writes_to_no_system(town, store_url, samspil):
    before = stored(store_url)
    answer = samspil("plan", TOWN)
    assert 0 == answer.code, answer.err
    assert (before, {}) == (stored(store_url), town.held())
    assert [] == town.sandboxes["star"].calls
    assert {"GET"} == {call.split()[0] for call in town.sandboxes["journal"].calls if "token" not in call}
    assert f"Nothing was written. Carry it out: samspil apply {TOWN}" in answer.out


def test_a_plan_of_changes_updates_and_deletions_leaves_store_and_systems_as_they_were(town, store_url, samspil):
    samspil("apply", TOWN)
    town.systems.to_night(2)
    before, held = stored(store_url), town.held()
    assert held
    for sandbox in town.sandboxes.values():
        sandbox.calls.clear()
    puts = {name: dict(kept.puts) for name, kept in town.sandboxes["jobcenter"].kept.items()}
    answer = samspil("plan", TOWN)
    assert 0 == answer.code, answer.err
    assert any(int(row["update"]) for row in answer.rows(NOW).values())
    assert (before, held) == (stored(store_url), town.held())
    assert puts == {name: dict(kept.puts) for name, kept in town.sandboxes["jobcenter"].kept.items()}
    assert [] == town.sandboxes["star"].calls


def test_apply_then_does_what_plan_said_night_after_night(town, samspil):
    for night in (1, 2, 3):
        town.systems.to_night(night)
        with Hub.find(TOWN, write=False) as hub:
            said = {flow.name: {c.key: c.what for c in Preview(hub, flow.name)} for flow in hub.file.flows}
            digest = {flow.name: hub.flow(flow.name).key for flow in hub.file.flows}
            names = {flow.name: f"{flow.target} {flow.schema}" for flow in hub.file.flows}
        planned = samspil("plan", TOWN, "--limit", "0")
        before = town.held()
        applied = samspil("apply", TOWN)
        assert (0, 0) == (planned.code, applied.code), applied.err
        after = town.held()
        for flow, row in planned.rows(NOW).items():
            done = applied.rows(NAME)[flow]
            assert int(row["create"]) + int(row["update"]) == int(done["delivered"])
            assert (row["delete"], row["hold back"]) == (done["deleted"], done["held back"])
            assert [row[name] for name in ("read", "unchanged", "filtered")] == [
                done[name] for name in ("read", "unchanged", "filtered")
            ]
            old, new = (held.get(names[flow], {}) for held in (before, after))
            happened = {
                **dict.fromkeys(new.keys() - old.keys(), "create"),
                **dict.fromkeys(old.keys() - new.keys(), "delete"),
                **{key: "update" for key in new.keys() & old.keys() if new[key] != old[key]},
            }
            foretold = {key: what for key, what in said[flow].items() if what != "hold back"}
            assert foretold == {digest[flow](key.encode()).hex(): what for key, what in happened.items()}, flow


def test_a_record_that_waits_behind_a_refused_one_is_foretold_as_held_back(town, samspil):
    persons = {r["id"]: r["cpr"] for r in town.world.records("attendance")}
    orders = town.sandboxes["jobcenter"].register._orders_of(1)
    for key in [key for key in orders if orders[key] == persons[min(persons)]]:
        del orders[key]
    first = samspil("apply", TOWN, "--flow", ATTENDANCE)
    assert int(first.rows(NAME)[ATTENDANCE]["held back"]) > 3
    for night in (1, 2):
        town.systems.to_night(night)
        planned = samspil("plan", TOWN, "--flow", ATTENDANCE, "--limit", "0").rows(NOW)[ATTENDANCE]
        done = samspil("apply", TOWN, "--flow", ATTENDANCE).rows(NAME)[ATTENDANCE]
        assert planned["hold back"] == done["held back"]
        assert int(planned["create"]) + int(planned["update"]) == int(done["delivered"])


def test_a_key_given_twice_is_foretold_as_held_back(town, samspil, monkeypatch):
    real = type(town.world).records
    good = sorted({r["id"] for r in real(town.world, "attendance")} - set(town.world.broken("attendance")))[3]

    def doubled(world, schema, night=1):
        records = real(world, schema, night)
        return records + [{**r, "hours": r["hours"] + 1} for r in records if r["id"] == good and schema == "attendance"]

    monkeypatch.setattr(type(town.world), "records", doubled)
    planned = samspil("plan", TOWN, "--flow", ATTENDANCE)
    done = samspil("apply", TOWN, "--flow", ATTENDANCE).rows(NAME)[ATTENDANCE]
    row = planned.rows(NOW)[ATTENDANCE]
    assert (row["hold back"], row["create"]) == (done["held back"], done["delivered"])


def test_a_target_that_cannot_delete_is_not_foretold_to(town_on_sqlite, samspil, monkeypatch):
    from connectors.jobcenter.connector import Jobcenter

    samspil("apply", TOWN, "--flow", ATTENDANCE)
    town_on_sqlite.systems.to_night(2)
    assert int(samspil("plan", TOWN, "--flow", ATTENDANCE).rows(NOW)[ATTENDANCE]["delete"]) > 0
    kept = {**Jobcenter.writes, "attendance": Jobcenter.writes["attendance"]._replace(deletes=False)}
    monkeypatch.setattr(Jobcenter, "writes", kept)
    answer = samspil("plan", TOWN, "--flow", ATTENDANCE)
    assert "0" == answer.rows(NOW)[ATTENDANCE]["delete"]
    assert "no way to delete" in answer.out


def test_the_diff_shows_old_and_new_of_ordinary_fields_and_hides_the_others(town_on_sqlite, samspil):
    town = town_on_sqlite
    samspil("apply", TOWN)
    town.systems.to_night(2)
    with Hub.find(TOWN, write=False) as hub:
        changes = {(flow.name, c.key): c for flow in hub.file.flows for c in Preview(hub, flow.name)}
        digest = hub.flow(ATTENDANCE).key
    for (flow, _), change in changes.items():
        for field in change.fields:
            if re.search("[Cc][Pp][Rr]|PersonCivil|Fornavn|Efternavn|firstName|[Ss]treet|Tekst|Worker|Id$", field.path):
                assert {field.before, field.after} <= {HIDDEN, "-"}, (flow, field.path)
    before, after = ({r["id"]: r for r in town.world.records("attendance", night)} for night in (1, 2))
    hours = {
        key: (f"{before[key]['hours']:.2f}", f"{after[key]['hours']:.2f}")
        for key in before.keys() & after.keys()
        if before[key]["hours"] != after[key]["hours"] and not {key} & {*town.world.broken("attendance", 2)}
    }
    assert hours
    for key, (old, new) in hours.items():
        change = changes[ATTENDANCE, digest(key.encode()).hex()]
        assert ("update", ("Timer", old, new)) == (change.what, next(f for f in change.fields if f.path == "Timer"))
        answer = samspil("plan", TOWN, "--flow", ATTENDANCE, "--limit", "99")
        assert f"Timer: {old} → {new}" in answer.out


@pytest.mark.parametrize("night", [1, 2])
def test_no_command_but_show_puts_a_person_on_the_screen(town_on_sqlite, samspil, night):
    town = town_on_sqlite
    for number in range(1, night):
        town.systems.to_night(number)
        samspil("apply", TOWN)
    town.systems.to_night(night)
    answers = [
        samspil(*words)
        for words in (
            ("plan", TOWN, "--limit", "9999"),
            ("apply", TOWN),
            ("runs", TOWN),
            ("quarantine", "list", TOWN),
            ("quarantine", "replay", TOWN),
            ("plan", TOWN, "--limit", "9999"),
        )
    ]
    screen = "\n".join(answer.out + answer.err for answer in answers)
    assert len(screen) > 5_000
    for company in {record["company_name"] for record in town.world.records("placement", night)}:
        screen = screen.replace(company, "")  # some bear a family's name
    assert [] == [value for value in town.persons() if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", screen)]


def test_what_the_guard_would_stop_is_said(town_on_sqlite, samspil, monkeypatch):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    monkeypatch.setattr(type(town_on_sqlite.world), "records", lambda *_: [])
    monkeypatch.setattr(type(town_on_sqlite.world), "broken", lambda *_: {})
    town_on_sqlite.systems.to_night(9)
    answer = samspil("plan", TOWN, "--flow", ATTENDANCE)
    assert "the guard would stop it: read 0 records where" in answer.out
