from typing import Annotated

import pytest

from samspil.account import SECRET, Account, Settings
from samspil.errors import SettingsError


class VendorSettings(Settings, frozen=True, kw_only=True):
    username: str
    password: Annotated[str, SECRET]
    page_size: int = 100


ACCOUNT = Account(id="aarhus_journal", conn_type="https", host="journal.test", login="hub", password="hemmelig-1")


def test_an_account_becomes_a_connectors_settings():
    settings = ACCOUNT.settings(VendorSettings)
    assert (settings.url, settings.username, settings.password) == ("https://journal.test", "hub", "hemmelig-1")


def test_port_and_path_are_part_of_the_address():
    account = Account(id="x", conn_type="http", host="127.0.0.1", port=8080, schema="/api/v1/")
    assert account.url == "http://127.0.0.1:8080/api/v1"


def test_neither_an_account_nor_its_settings_show_a_secret():
    assert "hemmelig" not in repr(ACCOUNT) + repr(ACCOUNT.settings(VendorSettings))


@pytest.mark.parametrize(
    ("account", "names"),
    [
        (Account(id="a", host="h", login="hub"), "password"),
        (Account(id="a", host="h", login="hub", password="hemmelig-1", extra={"pagesize": 5}), "pagesize"),
        (Account(id="a", host="h", login="hub", password="hemmelig-1", extra={"page_size": "hemmelig-1"}), "page_size"),
    ],
)
def test_a_missing_unknown_or_wrong_setting_is_named_without_its_value(account, names):
    with pytest.raises(SettingsError, match=names) as caught:
        account.settings(VendorSettings)
    assert "hemmelig" not in str(caught.value)
    assert "connection a" in str(caught.value)


def test_without_airflow_an_account_is_read_where_airflow_would_read_it(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_AARHUS_JOURNAL", '{"conn_type": "https", "host": "journal.test", "login": "hub"}')
    assert Account.from_environment("aarhus_journal").login == "hub"


@pytest.mark.parametrize("text", [None, "https://hub:hemmelig-1@journal.test", '["hemmelig-1"]', '{"hoest": 1}'])
def test_a_missing_or_unreadable_account_says_where_to_put_it(monkeypatch, text):
    monkeypatch.delenv("AIRFLOW_CONN_AARHUS_JOURNAL", raising=False)
    if text is not None:
        monkeypatch.setenv("AIRFLOW_CONN_AARHUS_JOURNAL", text)
    with pytest.raises(SettingsError, match="AIRFLOW_CONN_AARHUS_JOURNAL") as caught:
        Account.from_environment("aarhus_journal")
    assert "hemmelig" not in str(caught.value)
