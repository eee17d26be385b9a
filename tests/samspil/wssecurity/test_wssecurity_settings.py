"""An account's settings, made into what secures its calls."""

from __future__ import annotations

import msgspec
import pytest

from samspil.account import Account
from samspil.errors import SettingsError
from samspil.testing.sts import CVR, Sts
from samspil.testing.world import World
from samspil.wssecurity import SignedSettings, secured


@pytest.fixture
def given(certificates):
    ours = certificates.client("29189668", "Randers Kommune")
    return {
        "url": "https://127.0.0.1",
        "ca": str(certificates.ca),
        "signing_certificate": str(ours.p12),
        "signing_certificate_password": ours.password,
        "signer": "19435075",
        "signer_ca": str(certificates.ca),
    }


def test_without_settings_nothing_is_signed():
    assert secured(SignedSettings(url="http://127.0.0.1"), system="x") is None


def test_settings_say_who_signs_and_whose_answers_count(given, service, connect):
    found = secured(SignedSettings(**given, service="urn:service"), system="x")
    assert "20" == connect(found).call("Hent", {})["Status"]
    assert "urn:service" == found.to
    found.close()


def test_an_sts_of_the_settings_gives_the_token(given, certificates):
    with Sts(World("730", citizens=1), certificates, customer="29189668", audiences=frozenset({"urn:a"})) as sts:
        settings = {**given, "sts": f"{sts.account.url}/sts", "sts_signer": CVR, "audience": "urn:a", "cvr": "29189668"}
        found = secured(SignedSettings(**settings), system="x")
        assert "urn:a" == found.token.get().audience
        found.close()


@pytest.mark.parametrize(
    "change",
    [
        {"signing_certificate": ""},
        {"signing_certificate": "/missing.p12"},
        {"signing_certificate_password": "forkert"},
        {"signer_ca": ""},
        {"signer_ca": "/missing.pem"},
        {"sts": "https://127.0.0.1/sts", "sts_signer": CVR},
        {"sts": "https://127.0.0.1/sts", "audience": "urn:a"},
    ],
)
def test_what_is_missing_or_wrong_is_a_settings_error_without_the_password(given, change):
    with pytest.raises(SettingsError) as caught:
        secured(SignedSettings(**{**given, **change}), system="x")
    assert "forkert" not in str(caught.value)


def test_the_password_is_not_shown(given):
    account = Account(id="x", host="h", extra={name: value for name, value in given.items() if name != "url"})
    assert given["signing_certificate_password"] not in repr(account.settings(SignedSettings))
    assert given["signing_certificate_password"] not in repr(
        secured(msgspec.convert(given, SignedSettings), system="x")
    )
