import math
from typing import get_type_hints

import msgspec
import pytest

from samspil.errors import AccessError, SettingsError, Unavailable

GRANT = {"token": "/oauth/token", "scope": "meetings", "form": {"resource": "{area}"}}
OAUTH = {"oauth": GRANT}
LOGINS = {
    "none": "none",
    "basic": "basic",
    "bearer": "bearer",
    "certificate": "certificate",
    "key": {"header": "X-Api-Key"},
    "oauth": OAUTH,
}
GUARDED = sorted(set(LOGINS) - {"none", "certificate"})
AREA = {"settings": {"area": "text"}}


@pytest.mark.parametrize("name", LOGINS)
def test_every_way_of_logging_in_is_let_in(system, name):
    small = system(login=LOGINS[name], **AREA)
    small.connect().check()
    assert "GET /v1/calendar" == small.sandbox.calls[-1]


@pytest.mark.parametrize("name", GUARDED)
def test_a_wrong_password_is_an_access_error_without_it(system, name):
    small = system(login=LOGINS[name], **AREA)
    account = msgspec.structs.replace(small.sandbox.account, password="wrong-one")
    with pytest.raises(AccessError) as caught:
        small.connector(account).check()
    assert "wrong-one" not in str(caught.value)


@pytest.mark.parametrize("name", GUARDED)
def test_what_a_login_needs_is_required_and_the_password_is_a_secret(system, name):
    small = system(login=LOGINS[name], **AREA)
    account = msgspec.structs.replace(small.sandbox.account, password="")
    with pytest.raises(SettingsError, match="password"):
        small.connector(account)
    hint = get_type_hints(small.connector.Settings, include_extras=True)["password"]
    assert any(meta.extra == {"secret": True} for meta in hint.__metadata__)


def test_a_login_nobody_asks_for_is_an_error(system):
    """Settings are closed: a password that goes nowhere is a mistake."""
    small = system()
    with pytest.raises(SettingsError, match="password"):
        small.connector(msgspec.structs.replace(small.sandbox.account, password="x"))


def test_headers_and_token_fields_come_from_settings(system):
    small = system(
        login=OAUTH,
        headers={
            "X-Tenant": "{area}",
            "X-Test": "is {trial}",
            "X-Call": "{uuid} at {now} to {host}",
            "X-Word": "{{word}}",
        },
        settings={"area": {}, "trial": {"type": "boolean", "default": True}},
    )
    small.connect().check()
    with pytest.raises(AccessError) as caught:
        small.connect(area="another").check()
    assert "credentials" == caught.value.reason, "the token request has the wrong resource"


def test_a_wrong_tenant_is_an_access_error(system):
    small = system(headers={"X-Tenant": "{area}"}, **AREA)
    with pytest.raises(AccessError) as caught:
        small.connect(area="another").check()
    assert "status-403" == caught.value.reason


def test_a_token_is_asked_for_once(system):
    small = system(login=OAUTH, **AREA)
    connector = small.connect(page_size=5)
    connector.check()
    list(connector.read("meeting"))
    assert 1 == small.sandbox.calls.count("POST /oauth/token")


def test_a_token_that_was_withdrawn_is_renewed_once(system):
    small = system(login=OAUTH, **AREA)
    connector = small.connect()
    connector.check()
    small.sandbox.guard.withdraw_tokens()
    connector.check()
    small.sandbox.faults.add("status:401", path="/v1", times=math.inf)
    with pytest.raises(AccessError):
        connector.check()


def test_an_account_may_have_its_own_token_address_and_scope(system):
    small = system(login={"oauth": {**GRANT, "token": "https://login.example.com/oauth/token"}}, **AREA)
    small.connect(token_url=f"http://127.0.0.1:{small.sandbox.port}/oauth/token").check()
    with pytest.raises(AccessError):
        small.connect(scope="everything").check()


@pytest.mark.parametrize("body", [b"", b"<html>Log ind</html>", b'"ok"'])
def test_a_check_reads_the_answer(system, body):
    small = system()
    small.sandbox.faults.add("answer:200", body=body)
    with pytest.raises(Unavailable) as caught:
        small.connect().check()
    assert "answer-invalid" == caught.value.reason


def test_a_rate_may_be_lowered_and_never_raised(system):
    small = system(rate=100)
    small.connect(rate=50).check()
    with pytest.raises(SettingsError, match="rate"):
        small.connect(rate=101)
    with pytest.raises(SettingsError, match="rate"):
        small.connect(rate=0)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/oauth/token",
        "HTTP://login.example/oauth/token",
        "http://127.0.0.1.example/oauth/token",
        "http://localhost.example/oauth/token",
        "http://127.0.0.1@login.example/oauth/token",
        "http://[::ffff:192.0.2.1]/oauth/token",
        "http://192.0.2.1:8080/oauth/token",
    ],
)
def test_a_secret_is_not_sent_in_the_clear_to_get_a_token(system, url):
    small = system(login=OAUTH, **AREA)
    with pytest.raises(SettingsError, match="must begin with https: the client's secret is sent there") as caught:
        small.connect(token_url=url)
    assert caught.value.field == f"connection {small.sandbox.account.id}: token_url"
    assert [] == small.sandbox.calls


@pytest.mark.parametrize(
    "host", ["https://login.example", "http://localhost:9", "http://127.0.0.2:9", "http://[::1]:9"]
)
def test_over_tls_or_to_this_machine_it_is(system, host):
    system(login=OAUTH, **AREA).connect(token_url=f"{host}/oauth/token")
