"""What the check task says in its log."""

import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from samspil.airflow import tasks
from samspil.expiry import Expiry


def test_the_check_warns_of_what_runs_out_soon(monkeypatch, caplog):
    soon = Expiry("certificate", "/etc/samspil/star.p12", datetime.now(UTC) + timedelta(days=12, hours=1))

    @contextmanager
    def hub(_path):
        yield None, SimpleNamespace(check=lambda _hub, _system: [soon])

    monkeypatch.setattr(tasks, "_hub", hub)
    with caplog.at_level(logging.INFO):
        tasks.check("randers.yaml", "star")
    assert ["INFO", "WARNING"] == [record.levelname for record in caplog.records]
    assert "star: certificate /etc/samspil/star.p12 runs out on" in caplog.text
    assert "in 12 days" in caplog.text
