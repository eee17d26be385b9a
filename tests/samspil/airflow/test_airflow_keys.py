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
    assert {1: KEY} == master("730").versions


def test_the_environment_comes_first(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(OTHER).decode())
    environment.setenv("SAMSPIL_KEY", base64.b64encode(KEY).decode())
    assert {1: KEY} == master("730").versions


def test_a_wrong_key_in_the_environment_is_not_passed_over(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(KEY).decode())
    environment.setenv("SAMSPIL_KEY", "short")
    with pytest.raises(SettingsError, match="SAMSPIL_KEY: must be 32 bytes"):
        master("730")


def test_a_wrong_variable_is_named_without_its_value(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", "geheim")
    with pytest.raises(SettingsError, match="Airflow variable samspil_key: must be 32 bytes") as caught:
        master("730")
    assert "geheim" not in str(caught.value)


def test_a_municipalitys_own_variable_comes_before_the_one_for_all(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(OTHER).decode())
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY_730", base64.b64encode(KEY).decode())
    assert ({1: KEY}, {1: OTHER}) == (master("730").versions, master("760").versions)


def test_without_a_variable_both_names_are_said(environment):
    with pytest.raises(SettingsError, match="variable samspil_key_760 or samspil_key in the secrets backend"):
        master("760")


def test_a_wrong_variable_of_a_municipality_is_not_passed_over(environment):
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY", base64.b64encode(KEY).decode())
    environment.setenv("AIRFLOW_VAR_SAMSPIL_KEY_730", "short")
    with pytest.raises(SettingsError, match="Airflow variable samspil_key_730: must be 32 bytes"):
        master("730")
