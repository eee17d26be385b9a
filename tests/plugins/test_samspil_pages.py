"""The pages in a real Airflow, over HTTP, in Danish; and the same content in English."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from samspil.airflow.pages.content import flow_page, overview_page
from samspil.airflow.pages.municipalities import folder, municipalities
from samspil.airflow.pages.words import Words

ROOT = Path(__file__).parent.parent.parent
ORDERS = "jobcenter-course_order-journal"
PAGES = ("/samspil/overview", f"/samspil/flow/randers/{ORDERS}")


def text_of(html: str) -> str:
    """What a person reads of a page: its words without the tags and the style."""
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    return re.sub(r"\s+", " ", words).replace("&#34;", '"')


def line_of(html: str, flow: str) -> str:
    return next(text_of(row) for row in html.split("<tr") if f"/{flow}" in row)


def test_the_page_is_in_airflows_navigation(browser):
    plugins = browser("/api/v2/plugins", who="bo").json()["plugins"]
    (ours,) = [plugin for plugin in plugins if plugin["name"] == "samspil_pages"]
    assert [("Samspil", "nav", "samspil/overview")] == [
        (view["name"], view["destination"], view["href"]) for view in ours["external_views"]
    ]


@pytest.mark.parametrize("path", PAGES)
def test_nobody_logged_in_is_sent_to_the_login_page_and_back_afterwards(browser, path):
    answer = browser(path)
    assert (303, b"") == (answer.status_code, answer.content)
    assert answer.headers["location"] == f"/auth/login?next={path.replace('/', '%2F')}"


def test_the_overview_shows_every_flow_of_the_municipalities_airflow_knows_those_in_need_first(browser):
    html = browser("/samspil/overview", who="bo").text
    assert ["broken", "randers", "aarhus", "ringkobing_skjern"] == re.findall(r'<section id="(\w+)"', html)
    assert 24 == html.count('<th class="flow" scope="row"')
    assert "Hvert flows seneste kørsel" in text_of(html)


def test_a_line_has_the_runs_numbers_and_whether_they_balance(browser):
    html = browser("/samspil/overview", who="anna").text
    assert " 1.200 1.184 4 3 6 0 4 2 ✓ 4 holdes tilbage." in line_of(html, ORDERS)


@pytest.mark.parametrize("code", ["da", "en"])
def test_withheld_and_blocked_stand_beside_what_is_held_back_on_both_pages(at_stores, code):
    words = Words(code)
    listed = [one for one in municipalities(at_stores.folder) if one.dag_id == "randers"]
    for html in (overview_page(listed, words, time.time()), flow_page(listed[0], ORDERS, words, time.time())):
        head = [text_of(cell).strip() for cell in re.findall(r"<th class=.number.*?</th>", html)][:8]
        row = next(part for part in html.split("<tr") if "1.184" in part or "1,184" in part)
        numbers = [text_of(cell).strip() for cell in re.findall(r"<td class=.number.*?</td>", row)]
        named = dict(zip(head, numbers, strict=True))
        held = (words("withheld"), "3"), (words("held_back"), "4"), (words("blocked"), "2")
        assert dict(held).items() <= named.items()
        for name in ("withheld_why", "blocked_why"):
            assert words(name) in html


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (ORDERS, f"samspil quarantine list randers --flow {ORDERS}"),
        ("journal-attendance-jobcenter", 'samspil approve randers 22 --why "…"'),
        ("journal-attendance-jobcenter", "350 ændringer og 50 sletninger af 0"),
        ("journal-journal_note-jobcenter", "✗ Regnskabet stemmer ikke"),
        ("journal-action_plan-jobcenter", "Ikke kørt, da det skulle"),
        ("journal-placement-jobcenter", "Kilden bliver læst nu"),
        ("jobcenter-activity-star", "aldrig kørt"),
        ("jobcenter-activity-star", "star har ikke svaret siden"),
    ],
)
def test_a_line_says_what_to_do_next(browser, flow, says):
    assert says in line_of(browser("/samspil/overview", who="anna").text, flow)


def test_a_municipality_whose_store_is_not_there_has_never_run_and_none_is_made(browser, stores):
    html = browser("/samspil/flow/ringkobing_skjern/" + ORDERS, who="bo").text
    assert "Flowet har aldrig kørt." in text_of(html)
    assert not stores.path("760").exists()


def test_another_municipalitys_flows_are_not_shown(browser):
    html = browser("/samspil/overview", who="anna").text
    assert ["randers"] == re.findall(r'<section id="(\w+)"', html)
    assert "Aarhus" not in html
    hidden = browser(f"/samspil/flow/aarhus/{ORDERS}", who="anna")
    absent = browser("/samspil/flow/nowhere/at-all", who="anna")
    assert [404, 404] == [hidden.status_code, absent.status_code]
    assert absent.text == hidden.text


def test_a_plan_is_shown_to_who_may_answer_only_and_to_nobody_without_the_key(browser):
    """This API server was given no key, so it can tell the administrator only what it lacks."""
    path = "/samspil/plan/randers/22"
    answer = browser(path, who="bo")
    assert (200, True) == (answer.status_code, "SAMSPIL_KEY" in answer.text)
    assert [303, 403, 403] == [
        browser(asked, who=who).status_code
        for asked, who in ((path, None), (path, "anna"), ("/samspil/plan/nowhere/1", "anna"))
    ]
    assert 404 == browser("/samspil/plan/nowhere/1", who="bo").status_code
    assert 405 == browser(path, who="bo", method="POST").status_code


def test_a_file_that_cannot_be_used_says_why(browser):
    text = text_of(browser("/samspil/overview", who="bo").text)
    assert "Kommunens fil kan ikke bruges. Intet kører, før den er rettet: broken.yaml:1: municipality.code" in text


def test_a_flows_page_has_its_last_14_nights_as_bars_and_rows_and_why_records_are_held_back(browser):
    html = browser(f"/samspil/flow/randers/{ORDERS}", who="anna").text
    assert [14, 14] == [html.count(f'<rect class="{series}"') for series in ("read", "delivered")]
    text = text_of(html)
    assert [str(number) for number in range(20, 6, -1)] == re.findall(r" (\d+) færdig ", text)
    assert "bad-date oversættelse 3 " in text
    assert "other oversættelse 1 " in text
    assert "retssikkerhedsloven § 11 a" in text


@pytest.mark.parametrize("path", PAGES)
def test_no_persons_number_is_on_a_page(browser, stores, path):
    html = browser(path, who="anna").text
    assert stores.cpr not in html
    assert [] == re.findall(r"(?<![0-9a-f#])[0-9]{6}-?[0-9]{4}(?![0-9])", html)


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_is_told_to_run_nothing_and_keep_nothing(browser, path):
    answer = browser(path, who="anna")
    style = re.search("<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'self'")
    assert "no-store" == answer.headers["cache-control"]
    assert " style=" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_can_be_written(browser, path, method):
    assert 405 == browser(path, who="bo", method=method).status_code


def test_looking_leaves_the_store_as_it_was(browser, stores):
    before = stores.path("730").read_bytes()
    for path in PAGES:
        assert 200 == browser(path, who="anna").status_code
    assert before == stores.path("730").read_bytes()


@pytest.mark.parametrize("path", ["/samspil/docs", "/samspil/redoc", "/samspil/openapi.json", "/samspil/"])
def test_there_is_nothing_else(browser, path):
    assert 404 == browser(path, who="bo").status_code


def test_the_pages_speak_english_too(at_stores, monkeypatch):
    monkeypatch.setenv("SAMSPIL_LANGUAGE", "en")
    listed = {each.dag_id: each for each in municipalities(at_stores.folder)}
    words, now = Words.from_environment(), time.time()
    html = overview_page([listed["randers"]], words, now)
    assert '<html lang="en">' in html
    assert " 1,200 1,184 4 3 6 0 4 2 ✓ 4 held back. See why:" in line_of(html, ORDERS)
    assert "The latest runs" in text_of(flow_page(listed["randers"], ORDERS, words, now))


def test_a_store_that_does_not_answer_is_that_municipalitys_trouble_only(at_stores, monkeypatch, tmp_path):
    (tmp_path / "730.db").write_text("this is no database, but long enough to be looked at as one", encoding="utf-8")
    monkeypatch.setenv("SAMSPIL_STORE", f"sqlite:///{tmp_path}/{{municipality}}.db")
    listed = [each for each in municipalities(at_stores.folder) if each.dag_id in ("aarhus", "randers")]
    text = text_of(overview_page(listed, Words("da"), time.time()))
    assert 1 == text.count("Lageret svarer ikke")
    assert 8 == text.count("aldrig kørt")


def test_a_municipality_is_listed_under_its_dags_id_and_a_code_counts_once(stores, tmp_path):
    """As the DAGs are made: the second file of a code is broken, so that it cannot show the first one's runs."""
    listed = municipalities(stores.folder)
    code = (
        "import json, sys, pathlib; from samspil.airflow import municipality_dags; "
        "dags = municipality_dags(pathlib.Path(sys.argv[1])); "
        "print(json.dumps({i: 'file-error' in dag.tags for i, dag in dags.items()}))"
    )
    home = {"AIRFLOW_HOME": str(tmp_path)}
    made = subprocess.run(
        [sys.executable, "-c", code, stores.folder], cwd=ROOT, env=os.environ | home, capture_output=True, check=True
    )
    assert json.loads(made.stdout.splitlines()[-1]) == {each.dag_id: each.file is None for each in listed}
    assert {"broken", "randers_copy"} == {each.dag_id for each in listed if each.file is None}


def test_files_lie_in_airflows_dag_folder_unless_the_setting_says_otherwise(monkeypatch):
    monkeypatch.delenv("SAMSPIL_MUNICIPALITIES", raising=False)
    assert Path("/opt/dags/municipalities") == folder("/opt/dags")
    monkeypatch.setenv("SAMSPIL_MUNICIPALITIES", "/srv/files")
    assert Path("/srv/files") == folder("/opt/dags")


def test_the_plugin_file_costs_every_process_nothing(tmp_path):
    """Airflow runs it by its bare stem everywhere: it brings no module with it that Airflow had not loaded."""
    code = (
        "import sys; from airflow.plugins_manager import AirflowPlugin; before = set(sys.modules); "
        "sys.path.insert(0, 'plugins'); import samspil_pages; print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"AIRFLOW_HOME": str(tmp_path)}, capture_output=True, check=True
    )  # fmt: skip
    assert b"['samspil_pages']" == ran.stdout.splitlines()[-1]


def test_what_is_shown_is_made_without_airflow():
    code = "import sys, samspil.airflow.pages.content; print('airflow' in sys.modules, 'fastapi' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert b"False False" == ran.stdout.strip()


def test_the_templates_are_installed_with_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "*.html" in settings["tool"]["setuptools"]["package-data"]["*"]
