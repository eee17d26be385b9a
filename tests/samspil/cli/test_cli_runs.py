"""apply, runs, approve, refuse and verify over a municipality's sandboxes."""

import json
import re

import pytest
from sqlalchemy import select, update

from samspil.hub import Hub
from samspil.ledger import batches
from samspil.store.tables import ledger, runs

TOWN = "ringkobing_skjern"
NAME = "Ringkøbing-Skjern"
ATTENDANCE = "journal-attendance-jobcenter"
ORDER = "jobcenter-course_order-journal"


def emptied(town, monkeypatch):
    """The systems give nothing any more: what a cut-off export looks like."""
    monkeypatch.setattr(type(town.world), "records", lambda *_: [])
    monkeypatch.setattr(type(town.world), "broken", lambda *_: {})
    town.systems.to_night(9)


def ledger_of(what):
    with Hub.find(TOWN, write=False) as hub, hub.store.transaction() as connection:
        contexts = [json.loads(batch.context) for batch in batches(connection, "760")]
    return [context for context in contexts if context["what"] == what]


def test_apply_runs_every_flow_and_runs_tells_the_same_numbers(town, samspil):
    applied = samspil("apply", TOWN)
    assert (0, "") == (applied.code, applied.err)
    assert f"records are held back: samspil quarantine list {TOWN}" in applied.out
    listed = samspil("runs", TOWN)
    for flow, row in applied.rows(NAME).items():
        assert "✓" == row["balance"]
        assert row == {name: listed.rows(f"{NAME}: the latest runs")[flow][name] for name in row}
    assert 8 == len(applied.rows(NAME))


def test_before_the_first_run_runs_says_so(town, samspil):
    answer = samspil("runs", TOWN)
    assert {"never"} == {row["state"] for row in answer.rows(f"{NAME}: the latest runs").values()}
    assert f"Next: samspil plan {TOWN}" in answer.out


def test_a_system_that_is_away_stops_its_flows_only(town_on_sqlite, samspil):
    town_on_sqlite.sandboxes["star"].stop()
    answer = samspil("apply", TOWN)
    assert 4 == answer.code
    assert 7 == len(answer.rows(NAME))
    assert 1 == answer.err.count("✗")
    assert "✗ jobcenter-activity-star: " in answer.err
    listed = samspil("runs", TOWN).out
    assert f"go on: samspil apply {TOWN} --flow jobcenter-activity-star" in listed
    unsent = len(town_on_sqlite.world.records("activity")) - len(town_on_sqlite.world.broken("activity"))
    assert re.search(
        rf"^jobcenter-activity-star waits for star, away since \d\d-\d\d \d\d:\d\d: {unsent} changes are not sent$",
        listed,
        re.MULTILINE,
    )


def test_a_person_who_tries_again_is_not_told_to_wait(town_on_sqlite, samspil):
    town_on_sqlite.sandboxes["star"].stop()
    for _ in range(4):
        assert "cannot be reached" in samspil("apply", TOWN, "--flow", "jobcenter-activity-star").err
    town_on_sqlite.sandboxes["star"].start()
    assert 0 == samspil("apply", TOWN, "--flow", "jobcenter-activity-star").code
    assert "away since" not in samspil("runs", TOWN).out


def test_a_flow_waits_for_those_it_comes_after_and_is_not_run_when_they_fail(town_on_sqlite, samspil):
    town_on_sqlite.edit("      - schema: course_order", f"      - after: [{ATTENDANCE}]\n        schema: course_order")
    answer = samspil("apply", TOWN)
    flows = list(answer.rows(NAME))
    assert flows.index(ATTENDANCE) < flows.index(ORDER)
    town_on_sqlite.sandboxes["journal"].stop()
    answer = samspil("apply", TOWN)
    assert f"✗ {ORDER}: not run, it comes after {ATTENDANCE}" in answer.err


def test_the_guard_stops_a_run_and_says_how_to_decide_then_approve_carries_it_out(town, samspil, monkeypatch):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    held = len(town.held()["jobcenter attendance"])
    emptied(town, monkeypatch)
    stopped = samspil("apply", TOWN, "--flow", ATTENDANCE)
    assert 5 == stopped.code
    run = re.search(rf"samspil approve {TOWN} (\d+)", stopped.err)[1]
    assert f"samspil plan {TOWN} --flow {ATTENDANCE}" in stopped.err
    assert f"samspil refuse {TOWN} {run}" in stopped.err
    listed = samspil("runs", TOWN)
    assert "tripped" == listed.rows(f"{NAME}: the latest runs").get(ATTENDANCE, {"state": "tripped"})["state"]
    assert f"Run {run} would change 0 and delete {held} records; decide: samspil approve {TOWN} {run}" in listed.out
    assert f"run {run} waits for a decision" in samspil("plan", TOWN, "--flow", ATTENDANCE).out
    done = samspil("approve", TOWN, run, "--why", "  the centre closed  ")
    assert (0, f"Run {run}: 0 delivered, {held} deleted, 0 held back.") == (done.code, done.out.splitlines()[0])
    assert "jobcenter attendance" not in town.held()
    assert ["the centre closed"] == [context["why"] for context in ledger_of("approve")]
    again = samspil("approve", TOWN, run, "--why", "x")
    assert (1, f"✗ run {run} does not wait for a decision (done): samspil runs {TOWN}\n") == (again.code, again.err)


def test_a_refused_run_sends_nothing(town_on_sqlite, samspil, monkeypatch):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    held = town_on_sqlite.held()
    emptied(town_on_sqlite, monkeypatch)
    run = re.search(rf"samspil approve {TOWN} (\d+)", samspil("apply", TOWN, "--flow", ATTENDANCE).err)[1]
    answer = samspil("refuse", TOWN, run, "--why", "the export was cut off")
    assert (0, held) == (answer.code, town_on_sqlite.held())
    assert f"samspil plan {TOWN}" in answer.out
    assert ["the export was cut off"] == [context["why"] for context in ledger_of("refuse")]
    assert " dropped " in samspil("runs", TOWN).out


def test_an_approved_run_whose_system_is_away_stays_approved(town_on_sqlite, samspil, monkeypatch):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    emptied(town_on_sqlite, monkeypatch)
    run = re.search(rf"samspil approve {TOWN} (\d+)", samspil("apply", TOWN, "--flow", ATTENDANCE).err)[1]
    town_on_sqlite.sandboxes["jobcenter"].stop()
    answer = samspil("approve", TOWN, run, "--why", "the centre closed")
    assert 4 == answer.code
    assert f"Run {run} is approved all the same; send the rest of it: samspil apply {TOWN}" in answer.err
    town_on_sqlite.sandboxes["jobcenter"].start()
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    assert "jobcenter attendance" not in town_on_sqlite.held()


def test_another_municipalitys_run_is_not_there(town_on_postgresql, samspil, monkeypatch):
    town = town_on_postgresql
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    emptied(town, monkeypatch)
    run = re.search(rf"samspil approve {TOWN} (\d+)", samspil("apply", TOWN, "--flow", ATTENDANCE).err)[1]
    text = town.file.read_text(encoding="utf-8").replace('code: "760"', 'code: "751"')
    (town.file.parent / "aarhus.yaml").write_text(text, encoding="utf-8")
    answer = samspil("approve", "aarhus", run, "--why", "x")
    assert (1, f"✗ there is no run {run}: samspil runs aarhus\n") == (answer.code, answer.err)
    assert [] == ledger_of("approve")
    assert f"Run {run} would change" in samspil("runs", TOWN).out


def test_the_ledger_is_verified_and_a_change_in_it_is_found(town, samspil):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    answer = samspil("verify", TOWN)
    assert 0 == answer.code
    assert re.fullmatch(rf"✓ the ledger of {TOWN} is whole: \d+ entries\n", answer.out)
    with Hub.find(TOWN) as hub, hub.store.transaction() as connection:
        connection.execute(update(ledger).where(ledger.c.seq == 2).values(context=b"{}"))
    answer = samspil("verify", TOWN)
    assert (1, "") == (answer.code, answer.out)
    assert "what batch 2 says of its entries (purpose, fields, time) was changed" in answer.err


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_one_flow_alone(town_on_sqlite, samspil, command):
    answer = samspil(command, TOWN, "--flow", ATTENDANCE)
    assert 0 == answer.code
    assert ORDER not in answer.out


def test_withheld_and_blocked_stand_beside_what_is_held_back(town_on_sqlite, samspil):
    """What a run counted as kept back for want of consent, and of persons who were erased."""
    samspil("apply", TOWN)
    listed = samspil("runs", TOWN).rows(f"{NAME}: the latest runs")[ATTENDANCE]
    assert not {"withheld", "blocked"} & set(listed)  # no row has any: no column
    with Hub.find(TOWN) as hub, hub.store.transaction() as connection:
        for number, counts in connection.execute(select(runs.c.id, runs.c.counts)).all():
            changed = {**counts, "withheld": 3, "blocked": 2}
            connection.execute(update(runs).where(runs.c.id == number).values(counts=changed))
    listed = samspil("runs", TOWN).rows(f"{NAME}: the latest runs")[ATTENDANCE]
    assert ("3", "2") == (listed["withheld"], listed["blocked"])
    assert "held back" in listed
