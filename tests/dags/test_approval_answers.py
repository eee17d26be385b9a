"""What becomes of an answer, or of none, without an Airflow around it. The whole is in test_real_approval."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import stamina

from samspil.errors import GuardTripped, SamspilError, Unavailable

TIMEOUT = {"error": "too late", "error_type": "timeout"}
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def answer(option: str, user: dict[str, str] | None = None) -> dict[str, Any]:
    return {"chosen_options": [option], "params_input": {}, "responded_at": NOW, "responded_by_user": user}


@pytest.fixture
def approval(airflow_home, monkeypatch):
    """An approval of run 17, what it would skip, and what it entered; ``seen`` is how the run stands."""
    from samspil.airflow import tasks
    from samspil.airflow.approval import Approval

    made = Approval(task_id="approve", path="x.yaml", run=17)
    seen = SimpleNamespace(waits=True, sends=False)
    skipped: list[Any] = []
    entered: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks, "look_at", lambda path, run: seen)
    monkeypatch.setattr(tasks, "decide", lambda path, run, **said: entered.append({"run": run, **said}))
    monkeypatch.setattr(made, "skip", lambda ti, tasks: skipped.extend(tasks))
    task = SimpleNamespace(get_direct_relatives=lambda upstream: ["deliver"])
    context = {"ti": SimpleNamespace(dag_id="randers"), "task": task}
    return SimpleNamespace(operator=made, seen=seen, skipped=skipped, entered=entered, context=context)


def test_an_answer_is_entered_with_who_gave_it_and_when(approval):
    approval.operator.execute_complete(approval.context, answer("Approve", {"id": "7", "name": "karen"}))
    said = {"approve": True, "who": "karen (Airflow user 7)", "answered": "2026-11-22T08:30:00+00:00"}
    assert approval.entered == [{"run": 17, **said}]
    assert approval.skipped == []


def test_a_refusal_skips_the_delivery(approval):
    approval.operator.execute_complete(approval.context, answer("Reject", {"id": "7", "name": "karen"}))
    assert [entry["approve"] for entry in approval.entered] == [False]
    assert approval.skipped == ["deliver"]


@pytest.mark.parametrize("given", [answer("Approve"), answer("Perhaps", {"id": "7", "name": "karen"})])
def test_an_answer_of_nobody_or_of_no_meaning_is_none(approval, given):
    with pytest.raises((SamspilError, ValueError)):
        approval.operator.execute_complete(approval.context, given)
    assert approval.entered == []


def test_no_answer_sends_nothing_and_is_red(approval):
    with pytest.raises(GuardTripped, match="nobody has decided on run 17"):
        approval.operator.execute_complete(approval.context, TIMEOUT)


@pytest.mark.parametrize(("sends", "skipped"), [(True, []), (False, ["deliver"])])
def test_what_was_decided_elsewhere_is_neither_asked_nor_red(approval, sends, skipped):
    approval.seen.waits, approval.seen.sends = False, sends
    approval.operator.execute_complete(approval.context, TIMEOUT)
    assert approval.skipped == skipped
    approval.operator.execute(approval.context)
    assert approval.skipped == skipped * 2
    assert approval.entered == []


def test_an_answer_outlives_a_store_that_is_away_for_a_moment(airflow_home, monkeypatch):
    from samspil.airflow import tasks

    tried: list[str] = []

    @contextmanager
    def hub(path):
        tried.append(path)
        if len(tried) < 3:
            raise Unavailable("the store does not answer", system="store")
        yield None, SimpleNamespace(decide=lambda hub, run, **said: tried.append(said["who"]))

    monkeypatch.setattr(tasks, "_hub", hub)
    with stamina.set_testing(testing=True, attempts=4):
        tasks.decide("x.yaml", 17, approve=True, who="karen", answered="")
    assert tried == ["x.yaml", "x.yaml", "x.yaml", "karen"]
