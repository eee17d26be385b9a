"""The demo's systems: a sandbox per municipality and system, but one for a national system."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from samspil.account import Account
from samspil.agreement import load_all
from samspil.demo.systems import Systems, sandbox_of
from samspil.errors import SettingsError
from samspil.registry import schemas

FILES = load_all(Path(__file__).parents[3] / "dags" / "municipalities", schemas())


@pytest.fixture(scope="module")
def systems():
    with Systems(FILES, citizens=20) as running:
        yield running


def test_every_connection_has_an_account_in_airflow_s_form(systems, monkeypatch):
    assert {use.connection for file in FILES for use in file.systems.values()} == set(systems.accounts)
    for name, text in systems.environment.items():
        monkeypatch.setenv(name, text)
        connection = name.removeprefix("AIRFLOW_CONN_").lower()
        assert Account.from_environment(connection) == systems.accounts[connection]
        assert "id" not in json.loads(text)


def test_a_national_system_is_one_and_each_municipality_has_its_own_account(systems):
    stars = {systems.sandboxes[file.slug, "star"] for file in FILES}
    certificates = {systems.accounts[file.systems["star"].connection].extra["certificate"] for file in FILES}
    assert (len(stars), len(certificates)) == (1, len(FILES))


def test_local_systems_are_one_per_municipality(systems):
    assert len({systems.sandboxes[file.slug, "jobcenter"] for file in FILES}) == len(FILES)


def test_they_answer_until_they_are_stopped():
    with Systems(FILES[:1], citizens=20) as running:
        url = running.accounts[FILES[0].systems["jobcenter"].connection].url
        assert requests.get(url, timeout=5).status_code
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_a_connector_without_a_sandbox_is_said_by_name():
    with pytest.raises(SettingsError, match="nothing_of_the_kind"):
        sandbox_of("nothing_of_the_kind")
