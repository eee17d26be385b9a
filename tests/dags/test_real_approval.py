"""A plan that the agreement does not allow, under Airflow in earnest: it asks, and a person answers over its API.

All of it is one Airflow and two nights: what each flow shows is in its own test.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import yaml

from samspil import flow as steps
from samspil.agreement import load_municipality
from samspil.demo.installation import PARTS, Installation
from samspil.demo.systems import Systems
from samspil.hub import Hub
from samspil.ledger import batches
from samspil.registry import schemas
from samspil.store import runs
from samspil.store.runs import State
from samspil.testing.world import World

ROOT = Path(__file__).parent.parent.parent
TOWN = "ringkobing_skjern"
WITHIN = 300  # seconds; 15 are usual, and a task that Airflow must try again waits for a minute first
APPROVED, REFUSED, SILENT, REPLACED, CHANGED, ELSEWHERE = (
    f"journal-{schema}-jobcenter"
    for schema in ("attendance", "journal_note", "status_note", "action_plan", "assessment", "placement")
)
FLOWS = (APPROVED, REFUSED, SILENT, REPLACED, CHANGED, ELSEWHERE)


class Guarded(Installation):
    """An Airflow with named users; a call is made as one of them."""

    who = "karen"

    def token(self, who: str) -> str:
        answer = requests.post(f"{self.url}/auth/token", json={"username": who, "password": who}, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, *, who: str = "karen", **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token(who)}"}
        return requests.request(method, f"{self.url}/api/v2/{path}", json=body or None, headers=headers, timeout=30)

    def api(self, method: str, path: str, **body: Any) -> Any:
        answer = self.call(method, path, **body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def until(true: Callable[[], Any], what: str, state: Callable[[], Any] = str) -> Any:
    """The first true answer. The other side is a process: there is nothing to wait on but its answers.

    If there is none in time, the error tells the ``state`` instead.
    """
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        if answer := true():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {WITHIN} s; {state()}")


def written(path: Path) -> None:
    """The municipality's file with the flows of this test, at a time that never comes."""
    said = yaml.safe_load((ROOT / "dags" / "municipalities" / f"{TOWN}.yaml").read_text(encoding="utf-8"))
    said["schedule"] = "0 2 29 2 *"
    for agreement in said["agreements"]:
        agreement["flows"] = [
            flow for flow in agreement["flows"] if f"{flow['from']}-{flow['schema']}-{flow['to']}" in FLOWS
        ]
    said["agreements"] = [agreement for agreement in said["agreements"] if agreement["flows"]]
    parties = {party for agreement in said["agreements"] for party in agreement["between"]}
    said["systems"] = {name: use for name, use in said["systems"].items() if name in parties}
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")


class Night:
    """One run of the municipality's DAG."""

    def __init__(self, airflow: Guarded) -> None:
        self.airflow = airflow
        run = airflow.api("POST", f"dags/{TOWN}/dagRuns", logical_date=None)["dag_run_id"]
        self.name, self.path = run, f"dags/{TOWN}/dagRuns/{run}"

    def tasks(self) -> dict[str, str]:
        found = self.airflow.api("GET", f"{self.path}/taskInstances?limit=100")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def until(self, task: str, *states: str) -> str:
        return str(until(lambda: (state := self.tasks()[task]) in states and state, f"{task} {states}", self.tasks))

    def ended(self) -> dict[str, str]:
        until(lambda: self.airflow.api("GET", self.path)["state"] in ("success", "failed"), self.path, self.tasks)
        return self.tasks()

    def question(self, flow: str) -> dict[str, Any]:
        return dict(self.airflow.api("GET", f"{self.path}/taskInstances/{flow}.approve/-1/hitlDetails"))

    def answer(self, flow: str, option: str, *, who: str = "karen") -> requests.Response:
        path = f"{self.path}/taskInstances/{flow}.approve/-1/hitlDetails"
        return self.airflow.call("PATCH", path, who=who, chosen_options=[option])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """Two nights, the second with nothing at the source, and an answer to each of its questions."""
    folder = tmp_path_factory.mktemp("approval")
    dags = folder / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    shutil.copytree(ROOT / "plugins", folder / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    file = dags / "municipalities" / f"{TOWN}.yaml"
    written(file)
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({"karen": "karen", "bo": "bo"}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, Systems([load_municipality(file, schemas())], citizens=24) as systems:
        own = {
            "SAMSPIL_STORE": f"sqlite:///{folder}/store-{{municipality}}.db",
            "SAMSPIL_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "SAMSPIL_LANGUAGE": "en",
            "PYTHONPATH": str(ROOT),
            **systems.environment,
        }
        users = {
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "karen:admin,bo:viewer",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        }
        for name, value in own.items():
            patch.setenv(name, value)
        with Guarded(folder / "airflow", dags, {**own, **users}) as airflow:
            yield _nights(airflow, file, systems, patch)


def _nights(airflow: Guarded, file: Path, systems: Systems, patch: pytest.MonkeyPatch) -> SimpleNamespace:
    airflow.run("db", "migrate")
    for pool in ("jobcenter", "journal"):
        use = load_municipality(file, schemas()).systems[pool]
        airflow.run("pools", "set", f"system_{use.connection}", "4", pool)
    airflow.start(*PARTS)  # and no triggerer: nothing here needs one
    airflow.wait(*PARTS)
    until(lambda: TOWN in {each["dag_id"] for each in airflow.api("GET", "dags")["dags"]}, TOWN)
    airflow.api("PATCH", f"dags/{TOWN}", is_paused=False)
    first = Night(airflow).ended()
    held = _held(systems)
    persons = {fact["cpr"] for fact in systems.sandboxes[TOWN, "journal"].world.records("person")}
    patch.setattr(World, "records", lambda *_: [])
    patch.setattr(World, "broken", lambda *_: {})
    systems.to_night(9)
    night = Night(airflow)
    for flow in FLOWS:
        night.until(f"{flow}.approve", "awaiting_input")
        _has_heard_of_the_asking_process(airflow, night, flow)
    waiting = night.tasks()
    questions = {flow: night.question(flow) for flow in FLOWS}
    numbers = {flow: int(re.search(r"run (\d+)", questions[flow]["subject"])[1]) for flow in FLOWS}
    pages = {who: _page(airflow, numbers[APPROVED], who) for who in ("karen", "bo")}
    unasked = _held(systems)
    refusals = [night.answer(APPROVED, "Approve", who="bo").status_code, night.answer(APPROVED, "Perhaps").status_code]
    answers = {flow: night.answer(flow, "Approve").json() for flow in (APPROVED,)}
    answers[REFUSED] = night.answer(REFUSED, "Reject").json()
    with Hub.open(file, systems.accounts.__getitem__) as hub:
        steps.decide(hub, numbers[REPLACED], approve=False, who="it", why="a mistake")
        steps.decide(hub, numbers[ELSEWHERE], approve=True, who="it", why="as agreed")
    for flow in (REPLACED, ELSEWHERE):
        night.answer(flow, "Approve")
    for flow in (APPROVED, REFUSED, REPLACED, ELSEWHERE):
        night.until(f"{flow}.approve", "success", "failed")
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    changed = [flow for each in said["agreements"] for flow in each["flows"] if flow["schema"] in CHANGED]
    changed[0]["protected_addresses"] = "sent"
    _write_at_once(file, yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
    night.answer(CHANGED, "Approve")
    with closing(sqlite3.connect(airflow.home / "airflow.db", timeout=60)) as database, database:
        late = "UPDATE task_instance SET trigger_timeout = '2026-01-01 00:00:00.000000' WHERE task_id = ?"
        assert database.execute(late, (f"{SILENT}.approve",)).rowcount == 2
    outcome = night.ended()
    with Hub.open(file, systems.accounts.__getitem__, write=False) as hub, hub.store.transaction() as connection:
        states = {flow: runs.get(connection, run).state for flow, run in numbers.items()}
        entries = [json.loads(batch.context) for batch in batches(connection, "760")]
    return SimpleNamespace(
        first=first, held=held, unasked=unasked, left=_held(systems), waiting=waiting, questions=questions, runs=numbers,
        pages=pages, refusals=refusals, answers=answers, outcome=outcome, states=states, persons=persons, file=file,
        decisions=[entry for entry in entries if entry["what"] in ("approve", "refuse")], airflow=airflow, night=night,
    )  # fmt: skip


def _has_heard_of_the_asking_process(airflow: Guarded, night: Night, flow: str) -> None:
    """Until the scheduler knows that it ended: an answer that comes before, it takes for a failure and asks again."""
    ended = f"task_id='{flow}.approve', run_id='{night.name}', try_number=1"
    log = airflow.home / "scheduler.log"
    until(lambda: ended in log.read_text("utf-8", "replace"), f"the end of {flow}.approve's asking", night.tasks)


def _write_at_once(file: Path, text: str) -> None:
    """Airflow reads the file whenever it likes: it must never find half of it."""
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def _held(systems: Systems) -> dict[str, int]:
    return {flow: len(systems.sandboxes[TOWN, "jobcenter"].held(flow.split("-")[1])) for flow in FLOWS}


def _page(airflow: Guarded, run: int, who: str) -> requests.Response:
    cookies = {"_token": airflow.token(who)}
    return requests.get(f"{airflow.url}/samspil/plan/{TOWN}/{run}", cookies=cookies, timeout=60, allow_redirects=False)


def of(done: SimpleNamespace, flow: str) -> list[str]:
    return [done.outcome[f"{flow}.{step}"] for step in ("guard", "approve", "deliver", "reconcile")]


def test_a_night_that_needs_no_approval_is_not_held_up_by_it(done):
    assert {done.first[f"{flow}.approve"] for flow in FLOWS} == {"skipped"}
    others = {state for task, state in done.first.items() if not task.endswith(".approve")}
    assert others == {"success"}
    assert min(done.held.values()) > 0


def test_a_plan_beyond_the_agreement_waits_and_nothing_of_it_is_sent(done):
    assert {done.waiting[f"{flow}.{step}"] for flow in FLOWS for step in ("approve",)} == {"awaiting_input"}
    assert {done.waiting[f"{flow}.deliver"] for flow in FLOWS} == {None}
    assert done.unasked == done.held


def test_the_question_has_the_counts_and_the_way_to_the_plan_and_nobody_in_it(done):
    for flow, question in done.questions.items():
        assert question["options"] == ["Approve", "Reject"]
        assert flow in question["subject"]
        assert f"| deletions | {done.held[flow]} |" in question["body"]
        assert f"{done.airflow.url}/samspil/plan/{TOWN}/{done.runs[flow]}" in question["body"]
        said = json.dumps(question)
        assert not [number for number in done.persons if number in said]


def test_the_plan_s_page_shows_its_changes_to_those_who_may_answer_only(done):
    page = done.pages["karen"]
    assert (page.status_code, done.pages["bo"].status_code) == (200, 403)
    assert page.text.count("<td>delete</td>") == min(100, done.held[APPROVED])
    assert f"{done.held[APPROVED]} deletions" in page.text
    assert not [number for number in done.persons if number in page.text]


def test_only_who_may_answer_and_only_one_of_the_answers_is_taken(done):
    assert done.refusals == [403, 400]


def test_approving_sends_exactly_that_plan(done):
    assert of(done, APPROVED) == ["success", "success", "success", "success"]
    assert (done.left[APPROVED], done.states[APPROVED]) == (0, State.DONE)


def test_refusing_drops_it_and_the_flow_is_not_red(done):
    assert of(done, REFUSED) == ["success", "success", "skipped", "skipped"]
    assert (done.left[REFUSED], done.states[REFUSED]) == (done.held[REFUSED], State.DROPPED)


def test_both_are_in_the_ledger_with_who_and_when(done):
    entries = {entry["run"]: entry for entry in done.decisions}
    for flow, what in ((APPROVED, "approve"), (REFUSED, "refuse")):
        entry = entries[done.runs[flow]]
        assert (entry["what"], entry["flow"], entry["who"]) == (what, flow, "karen (Airflow user karen)")
        assert entry["answered"][:19] == done.answers[flow]["responded_at"][:19]


def test_an_unanswered_plan_is_not_sent_and_goes_on_waiting(done):
    assert of(done, SILENT) == ["success", "failed", "upstream_failed", "upstream_failed"]
    assert (done.left[SILENT], done.states[SILENT]) == (done.held[SILENT], State.TRIPPED)


def test_a_plan_that_was_dropped_elsewhere_is_not_resumed_by_a_late_answer(done):
    assert of(done, REPLACED) == ["success", "failed", "upstream_failed", "upstream_failed"]
    assert (done.left[REPLACED], done.states[REPLACED]) == (done.held[REPLACED], State.DROPPED)


def test_a_plan_made_under_another_agreement_is_not_resumed(done):
    assert of(done, CHANGED) == ["success", "failed", "upstream_failed", "upstream_failed"]
    assert (done.left[CHANGED], done.states[CHANGED]) == (done.held[CHANGED], State.TRIPPED)


def test_a_plan_approved_elsewhere_goes_on_and_is_entered_once(done):
    assert of(done, ELSEWHERE) == ["success", "success", "success", "success"]
    assert done.left[ELSEWHERE] == 0
    (entry,) = (entry for entry in done.decisions if entry["run"] == done.runs[ELSEWHERE])
    assert (entry["what"], entry["who"]) == ("approve", "it")


def test_nothing_of_it_is_passed_on_or_logged(done):
    entries = done.airflow.api("GET", f"dags/{TOWN}/dagRuns/~/taskInstances/~/xcomEntries?limit=200")["xcom_entries"]
    assert {entry["key"] for entry in entries if entry["task_id"].endswith((".approve", ".guard"))} == {"skipmixin_key"}
    logs = "".join(path.read_text("utf-8", "replace") for path in done.airflow.home.rglob("*.log") if path.is_file())
    assert "nobody has decided on run" in logs
    assert not [number for number in done.persons if number in logs]
