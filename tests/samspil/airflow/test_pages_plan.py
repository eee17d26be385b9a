"""The page of a plan that waits: what it shows, in both languages, and what it does not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from samspil import flow as steps
from samspil.agreement import load_municipality
from samspil.airflow.pages.municipalities import Listed
from samspil.airflow.pages.plan import plan_page
from samspil.airflow.pages.words import Words
from samspil.demo.systems import Systems
from samspil.errors import GuardTripped, SettingsError
from samspil.hub import Hub
from samspil.registry import schemas

FILE = Path(__file__).parents[3] / "dags" / "municipalities" / "ringkobing_skjern.yaml"
PLACEMENTS = "journal-placement-jobcenter"


@pytest.fixture(params=["sqlite"])
def stopped(
    request: pytest.FixtureRequest, master_key: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[SimpleNamespace]:
    """A second night that the agreement does not allow at all; ``separated``: seen by a role that only reads."""
    pages = url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "separated":
        roles = request.getfixturevalue("separated")
        url, pages = roles.role("worker", "760"), roles.role("pages", "760", writes=False)
    monkeypatch.setenv("SAMSPIL_STORE", url)
    path = tmp_path / FILE.name
    shutil.copy(FILE, path)
    with Systems([load_municipality(path, schemas())], citizens=60) as systems:
        run = 0
        for night in (1, 2):
            systems.to_night(night)
            monkeypatch.setattr("samspil.flow.guarding.SMALL", 3 if night == 1 else 0)
            with Hub.open(path, systems.accounts.__getitem__) as hub:
                run = steps.plan(hub, PLACEMENTS, f"night {night}")
                if night == 1:
                    steps.guard(hub, run)
                    steps.deliver(hub, run)
                    steps.reconcile(hub, run)
        path.write_text(path.read_text("utf-8").replace("changes: 30, deletions: 5", "changes: 0, deletions: 0"))
        with Hub.open(path, systems.accounts.__getitem__) as hub, pytest.raises(GuardTripped):
            steps.guard(hub, run)
        monkeypatch.setenv("SAMSPIL_STORE", pages)
        listed = Listed("ringkobing_skjern", load_municipality(path, schemas()))
        world = systems.sandboxes["ringkobing_skjern", "journal"].world
        yield SimpleNamespace(path=path, run=run, systems=systems, listed=listed, world=world)


def page(stopped: SimpleNamespace, code: str = "en", **more: object) -> str:
    accounts = more.get("accounts", lambda connection, _: stopped.systems.accounts[connection])
    run = more.get("run", stopped.run)
    return plan_page(stopped.listed, stopped.path, run, Words(code), 1_800_000_000.0, accounts)


def test_it_shows_why_it_waits_and_each_field_that_would_change(stopped):
    html = page(stopped)
    assert "stopped by the guard" in html
    assert re.search(
        r"<code>would delete \d+ of \d+ records; the agreement allows 0 \(\d %\)</code>|<code>would change", html
    )
    assert {"update", "delete", "create"} == set(re.findall(r"<td>(update|delete|create)</td>", html))
    assert "(hidden)" in html
    assert "Hvorfor den venter" in page(stopped, "da")
    assert "(skjult)" in page(stopped, "da")


@pytest.mark.parametrize("stopped", ["separated"], indirect=True)
def test_in_a_separated_store_a_role_that_only_reads_is_enough(stopped):
    assert "stopped by the guard" in page(stopped)
    assert "(hidden)" in page(stopped)


def test_nobody_can_be_read_from_it(stopped):
    html = page(stopped)
    people = [fact for night in (1, 2) for fact in stopped.world.records("person", night)]
    assert people
    assert not [fact["cpr"] for fact in people if fact["cpr"] in html]
    assert not [record["id"] for record in stopped.world.records("placement", 2) if record["id"] in html]


def test_without_the_connections_the_counts_are_there_and_it_says_what_is_missing(stopped):
    def none(connection: str, _file: object) -> None:
        raise SettingsError("Airflow has no such connection", field=f"connection {connection}")

    html = page(stopped, accounts=none)
    assert "The fields cannot be shown here: <code>connection " in html
    assert "deletions; the target holds" in html


def test_a_run_that_is_not_there_is_no_page(stopped):
    with pytest.raises(KeyError):
        page(stopped, run=stopped.run + 1)
    with pytest.raises(KeyError):
        plan_page(Listed("broken", None, "x"), stopped.path, 1, Words("da"), 0.0, lambda *_: None)
