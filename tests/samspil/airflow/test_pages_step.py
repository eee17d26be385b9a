"""What a flow's standing means in the morning, and the words for it."""

from __future__ import annotations

import string
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from samspil.agreement import load_municipality
from samspil.airflow.pages import words
from samspil.airflow.pages.chart import HEIGHT, chart
from samspil.airflow.pages.nights import Night, Standing
from samspil.airflow.pages.step import Level, next_step
from samspil.flow.reconciliation import Counts
from samspil.store.runs import Run, State
from samspil.store.waiting import Waiting
from schemas import SCHEMAS

FOLDER = Path(__file__).parent.parent.parent.parent / "dags" / "municipalities"
FLOW = load_municipality(FOLDER / "randers.yaml", SCHEMAS).flow("journal-attendance-jobcenter")
NOW, HOUR = 1_800_000_000.0, 3600.0


def standing(state: State, *, hours: float = 3, held: int = 0, rhythm: str = "nightly", **numbers: int) -> Standing:
    row = {"id": 17, "flow_id": 1, "key": "k", "pending": False, "finished": None, "cursor": None, "counts": {}}
    row["agreement"] = None
    run = Run(SimpleNamespace(**row, state=state, started=NOW - hours * HOUR))
    counts = dict.fromkeys(Counts.__struct_fields__, 0) | {"complete": True, "reasons": {}} | numbers
    return Standing(msgspec.structs.replace(FLOW, rhythm=rhythm), Night(run, Counts(**counts)), held, 100)


def away(given: Standing, system: str = "jobcenter") -> Standing:
    return msgspec.structs.replace(given, waiting=Waiting(7, NOW - 50 * HOUR, system))


@pytest.mark.parametrize(
    ("given", "level", "what"),
    [
        (Standing(FLOW), Level.WAITING, "step_first"),
        (standing(State.DONE), Level.FINE, "step_none"),
        (standing(State.DONE, held=2), Level.HELD, "step_held"),
        (standing(State.DONE, held=2, hours=27), Level.STOPPED, "step_late"),
        (standing(State.DONE, hours=27, rhythm="weekly"), Level.FINE, "step_none"),
        (standing(State.DONE, hours=9 * 24, rhythm="weekly"), Level.STOPPED, "step_late"),
        (standing(State.DONE, hours=9 * 24, rhythm="monthly"), Level.FINE, "step_none"),
        (standing(State.TRIPPED, hours=50), Level.STOPPED, "step_decide"),
        (standing(State.DROPPED), Level.STOPPED, "step_dropped"),
        (standing(State.PLANNING, hours=0.5), Level.WAITING, "step_reading"),
        (standing(State.PLANNING), Level.STOPPED, "step_not_read"),
        (standing(State.PLANNED), Level.STOPPED, "step_not_read"),
        (standing(State.APPROVED, hours=0.5), Level.WAITING, "step_delivering"),
        (standing(State.APPROVED), Level.STOPPED, "step_not_delivered"),
        (standing(State.APPROVED, hours=0.5, read=1), Level.STOPPED, "step_unbalanced"),
        (away(Standing(FLOW)), Level.STOPPED, "step_away"),
        (away(standing(State.DONE)), Level.STOPPED, "step_away"),
        (away(standing(State.APPROVED, hours=0.5)), Level.WAITING, "step_away"),
        (away(standing(State.APPROVED, hours=30)), Level.STOPPED, "step_away"),
        (away(standing(State.TRIPPED)), Level.STOPPED, "step_decide"),
        (away(standing(State.APPROVED), system=""), Level.STOPPED, "step_not_delivered"),
    ],
)
def test_the_next_step_follows_from_the_latest_run_and_its_age(given, level, what):
    step = next_step("randers", given, NOW)
    assert (level, what) == (step.level, step.what)
    assert all(command.startswith("samspil ") and " randers" in command for command in step.commands)
    assert bool(step.commands) is (what not in ("step_none", "step_reading", "step_delivering"))


def test_a_decision_names_the_run_and_both_ways():
    step = next_step("randers", standing(State.TRIPPED), NOW)
    assert ('samspil approve randers 17 --why "…"', 'samspil refuse randers 17 --why "…"') == step.commands


def test_both_languages_have_every_word_with_the_same_gaps():
    for name, (danish, english) in words._WORDS.items():
        gaps = [sorted(gap for _, gap, _, _ in string.Formatter().parse(text) if gap) for text in (danish, english)]
        assert gaps[0] == gaps[1], name
    stages = {f"stage_{stage}" for stage in ("read", "map", "plan", "deliver")}
    assert {*State, *Level, *stages} <= words._WORDS.keys()


@pytest.mark.parametrize(
    ("code", "number", "moment"), [("da", "12.345", "1. jul 00:30"), ("en", "12,345", "1 Jul 00:30")]
)
def test_numbers_and_danish_local_time_are_written_as_the_language_does(code, number, moment):
    said = words.Words(code)
    assert (number, moment) == (said.number(12345), said.moment(1_782_858_600))


def test_any_other_language_is_danish(monkeypatch):
    monkeypatch.setenv("SAMSPIL_LANGUAGE", "sv")
    assert "da" == words.Words.from_environment().code


def test_the_highest_bar_fills_its_strip_and_a_single_record_is_still_seen():
    nights = [standing(State.DONE, read=read).night for read in (5000, 1, 0)]
    drawing = chart(nights, words.Words("en"))
    assert [HEIGHT, 2.0, 0.0] == [bar.height for bar in drawing.strips[0].bars]
    assert drawing.strips[0].bars[0].x > drawing.strips[0].bars[1].x  # the newest at the right
    assert drawing.strips[0].bars[1].says.endswith(": Read 1")
