"""Two municipalities' people before one Airflow with FAB: each sees and starts its own DAG and nothing of the other's."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import requests

FLOW = "jobcenter-course_order-journal"
TASK = "dagRuns/asked/taskInstances/check_jobcenter"
OWN = {"anna": "randers", "ro": "randers", "bo": "ringkobing_skjern"}


@pytest.fixture(scope="module")
def ask(rights):
    """``ask("anna", "GET", "/api/v2/dags")``; nobody is logged in as None. Each DAG has a run, an XCom and a log."""
    url, home = rights
    tokens = {}
    with requests.Session() as session:

        def ask(who, method, path, **body):
            if who and who not in tokens:
                answer = session.post(f"{url}/auth/token", json={"username": who, "password": who}, timeout=60)
                tokens[who] = answer.json()["access_token"]
            session.cookies.clear()
            if who:
                session.cookies.set("_token", tokens[who])
            return session.request(method, url + path, json=body or None, allow_redirects=False, timeout=60)

        for dag in ("randers", "ringkobing_skjern"):
            made = ask("admin", "POST", f"/api/v2/dags/{dag}/dagRuns", dag_run_id="asked", logical_date=None)
            assert 200 == made.status_code, made.text
            ask("admin", "POST", f"/api/v2/dags/{dag}/{TASK}/xcomEntries", key="k", value=f"value of {dag}")
            log = home / "logs" / f"dag_id={dag}" / "run_id=asked" / "task_id=check_jobcenter" / "attempt=1.log"
            log.parent.mkdir(parents=True)
            log.write_text(f"line of {dag}\n", encoding="utf-8")
        with closing(sqlite3.connect(home / "airflow.db")) as database, database:
            database.execute(
                "UPDATE task_instance SET try_number = 1, state = 'success' WHERE task_id = 'check_jobcenter'"
            )
        yield ask


SEEN = [
    "/api/v2/dags/{dag}",
    "/api/v2/dags/{dag}/details",
    "/api/v2/dags/{dag}/tasks",
    "/api/v2/dags/{dag}/dagRuns",
    "/api/v2/dags/{dag}/dagRuns/asked",
    "/api/v2/dags/{dag}/dagRuns/asked/taskInstances",
    "/api/v2/dags/{dag}/dagRuns/asked/hitlDetails",
    f"/api/v2/dags/{{dag}}/{TASK}",
    f"/api/v2/dags/{{dag}}/{TASK}/logs/1?full_content=true",
    f"/api/v2/dags/{{dag}}/{TASK}/xcomEntries",
    f"/api/v2/dags/{{dag}}/{TASK}/xcomEntries/k",
    "/ui/grid/structure/{dag}",
    "/ui/structure/structure_data?dag_id={dag}",
    f"/samspil/flow/{{dag}}/{FLOW}",
]


@pytest.mark.parametrize("path", SEEN)
def test_each_sees_its_own_and_not_the_others(ask, path):
    for who, own in OWN.items():
        for dag in ("randers", "ringkobing_skjern"):
            answer = ask(who, "GET", path.format(dag=dag))
            assert answer.status_code == 200 if dag == own else answer.status_code in (403, 404), (who, dag)
            if "logs" in path or path.endswith("/k"):
                assert (f"of {dag}" in answer.text) is (dag == own)
    assert ask(None, "GET", path.format(dag="randers")).status_code in (303, 401)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/dags",
        "/api/v2/dags/~/dagRuns",
        "/api/v2/dags/~/dagRuns/~/taskInstances",
        "/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries",
        "/api/v2/dagStats",
        "/ui/dags",
        "/samspil/overview",
    ],
)
def test_a_list_of_everything_has_ones_own_only(ask, path):
    for who, own in OWN.items():
        text = ask(who, "GET", path).text
        assert [dag for dag in ("randers", "ringkobing_skjern") if dag in text] == [own], who


@pytest.mark.parametrize(
    ("method", "path", "body", "operator"),
    [
        ("POST", "dagRuns", {"logical_date": None}, 200),
        ("PATCH", "", {"is_paused": True}, 200),
        ("POST", "clearTaskInstances", {"dry_run": True}, 200),
        ("PATCH", "dagRuns/asked/taskInstances/x/-1/hitlDetails", {"chosen_options": ["Approve"]}, 404),
        ("DELETE", "dagRuns/asked", {}, 403),
        ("DELETE", "", {}, 403),
    ],
)
def test_only_its_own_operator_starts_clears_and_answers_and_nobody_deletes(ask, method, path, body, operator):
    """404: Airflow let the question through, and there is no such task."""
    for who, own in OWN.items():
        for dag in ("randers", "ringkobing_skjern"):
            may = dag == own and who != "ro"
            answer = ask(who, method, f"/api/v2/dags/{dag}/{path}".rstrip("/"), **body)
            assert answer.status_code == (operator if may else 403), (who, dag, answer.text)


@pytest.mark.parametrize("thing", ["connections", "variables", "pools", "eventLogs", "importErrors", "config", "jobs"])
def test_what_fab_cannot_divide_is_nobodys_but_the_administrators(ask, thing):
    """Accounts and the master key among it: FAB shows all or none."""
    for who in OWN:
        assert 403 == ask(who, "GET", f"/api/v2/{thing}").status_code


def test_a_plan_is_shown_to_the_municipalitys_own_operator(ask):
    """This server was given no key, so it says what it lacks to the one who may."""
    found = {who: ask(who, "GET", "/samspil/plan/randers/22").status_code for who in OWN}
    assert {"anna": 200, "ro": 403, "bo": 403} == found
