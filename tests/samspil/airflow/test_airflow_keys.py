"""The master key from Airflow's secrets backend: here Airflow's own, its variables in the environment."""

import base64

import pytest

from samspil.airflow.keys import master
from samspil.errors import SettingsError

KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv("SAMSPIL_KEY", raising=False)
    monkeypatch.delenv("SAMSPIL_KEY_FILE", raising=False)
    return monkeypatch


def test_the_variable_is_read_where_nothing_is_in_the_environment(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", f"1:{base64.b64encode(KEY).decode()}")
    assert {1: KEY} == master().versions


def test_the_environment_comes_first(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(OTHER).decode())
    environment.setenv("SAMSPIL_KEY", base64.b64encode(KEY).decode())
    assert {1: KEY} == master().versions


def test_a_wrong_key_in_the_environment_is_not_passed_over(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(KEY).decode())
    environment.setenv("SAMSPIL_KEY", "short")
    with pytest.raises(SettingsError, match="SAMSPIL_KEY: must be 32 bytes"):
        master()


def test_a_wrong_variable_is_named_without_its_value(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", "geheim")
    with pytest.raises(SettingsError, match="Airflow variable samspil_key: must be 32 bytes") as caught:
        master()
    assert "geheim" not in str(caught.value)
