"""A stopped plan where nobody can be asked: ``dag.test()`` waits for an answer for ever, the demo must not."""

from __future__ import annotations

import shutil
from pathlib import Path

from samspil.agreement import load_municipality
from samspil.airflow import pools
from samspil.demo.nights import Nights
from samspil.demo.systems import Systems
from samspil.registry import schemas
from samspil.testing.world import World

ROOT = Path(__file__).parent.parent.parent
TOWN, ATTENDANCE = "ringkobing_skjern", "journal-attendance-jobcenter"


def test_a_stopped_plan_is_red_there_and_sends_nothing(tmp_path, monkeypatch):
    dags = tmp_path / "dags"
    shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__", "*.yaml"))
    shutil.copy(ROOT / "dags" / "municipalities" / f"{TOWN}.yaml", dags / "municipalities")
    file = load_municipality(dags / "municipalities" / f"{TOWN}.yaml", schemas())
    with Systems([file], citizens=12) as systems:
        environment = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(tmp_path / "airflow" / "logs"),
            "SAMSPIL_STORE": f"sqlite:///{tmp_path}/store-{{municipality}}.db",
            "SAMSPIL_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            **systems.environment,
        }
        with Nights(environment, tmp_path / "logs") as nights:
            nights.prepare(pools([file]))
            first = nights.night(1, [TOWN], {}, lambda _: None)[TOWN]
            held = systems.sandboxes[TOWN, "jobcenter"].held("attendance")
            monkeypatch.setattr(World, "records", lambda *_: [])
            monkeypatch.setattr(World, "broken", lambda *_: {})
            systems.to_night(9)
            second = nights.night(2, [TOWN], {}, lambda _: None)[TOWN]
        left = systems.sandboxes[TOWN, "jobcenter"].held("attendance")
    assert (first.state, first.failed) == ("success", {})
    assert (second.state, second.failed[f"{ATTENDANCE}.reconcile"]) == ("failed", "failed")
    assert left == held
    assert "still waits for a decision" in (tmp_path / "logs" / f"{TOWN}-night-2.log").read_text(encoding="utf-8")
