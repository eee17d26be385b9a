import msgspec
import pytest

from connectors.journal_rest.connector import JournalRest
from samspil.errors import AccessError, SettingsError, Unavailable


def test_check_logs_in_and_reads_only(sandbox, connect):
    connect().check()
    assert sandbox.calls == ["POST /oauth/token", "GET /v1/organisation"]


def test_making_a_connector_contacts_nobody(sandbox, connect):
    connect()
    assert sandbox.calls == []


@pytest.mark.parametrize("wrong", [{"login": "en anden"}, {"password": "forkert"}])
def test_wrong_credentials_are_an_access_error_without_the_secret(sandbox, wrong):
    connector = JournalRest(msgspec.structs.replace(sandbox.account, **wrong))
    with pytest.raises(AccessError) as caught:
        connector.check()
    assert caught.value.reason == "credentials"
    assert not any(value in str(caught.value) for value in wrong.values())
    connector.close()


def test_a_wrong_tenant_is_an_access_error(connect):
    with pytest.raises(AccessError) as caught:
        connect(tenant="centre-2").check()
    assert caught.value.reason == "status-403"


def test_a_system_that_is_down_is_unavailable(sandbox, connect):
    sandbox.stop()
    with pytest.raises(Unavailable) as caught:
        connect().check()
    assert caught.value.reason == "not-reached"


def test_a_missing_or_unknown_setting_is_told_before_any_call(sandbox):
    for extra in ({}, {"tenant": "x", "tennant": "y"}):
        with pytest.raises(SettingsError):
            JournalRest(msgspec.structs.replace(sandbox.account, extra=extra))
    assert sandbox.calls == []


def test_a_token_is_asked_for_once(sandbox, connect):
    connector = connect(page_size=50)
    list(connector.read("attendance"))
    list(connector.read("placement"))
    assert sandbox.calls.count("POST /oauth/token") == 1


def test_a_token_withdrawn_early_is_renewed_once(sandbox, connect):
    connector = connect()
    connector.check()
    sandbox.withdraw_tokens()
    connector.check()
    assert sandbox.calls.count("POST /oauth/token") == 2


def test_a_token_is_renewed_before_it_expires(sandbox, connect):
    sandbox.token_seconds = 0
    connector = connect()
    for _ in range(2):
        with pytest.raises(AccessError):
            connector.check()
    sandbox.token_seconds = 3600
    connector.check()
