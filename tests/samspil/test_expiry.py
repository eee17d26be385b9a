"""What runs out soon is told, each by the setting that names it."""

from datetime import UTC, datetime, timedelta

import pytest

from samspil.account import Settings
from samspil.errors import SettingsError
from samspil.expiry import expiries
from samspil.testing.certificates import Certificates
from samspil.wssecurity import SignedSettings


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("oces"))


@pytest.fixture
def settings(certificates):
    ours = certificates.client("29189668", "Randers Kommune")
    signing = certificates.client("29189609", "Randers Kommune, signatur")

    def made(**changed):
        given = {
            "ca": certificates.ca,
            "crl": certificates.crl(left=timedelta(days=150)),
            "certificate": ours.p12,
            "certificate_password": ours.password,
            "signing_certificate": signing.pem,
            "signer_ca": certificates.ca,
            "signer_certificates": certificates.server,
        }
        return SignedSettings(url="https://x", **{name: str(value) for name, value in {**given, **changed}.items()})

    return made


def test_what_lives_long_enough_is_not_mentioned(settings):
    assert [] == expiries(settings(), datetime.now(UTC))


@pytest.mark.parametrize("kind", ["pem", "p12"])
@pytest.mark.parametrize("setting", ["certificate", "signing_certificate"])
@pytest.mark.parametrize(("days", "told"), [(31, False), (29, True), (-1, True)])
def test_our_own_certificates_are_told_30_days_ahead(settings, certificates, setting, kind, days, told):
    ours = certificates.client("19435075", "KOMBIT A/S", left=timedelta(days=days))
    password = ours.password if kind == "p12" else ""
    found = expiries(settings(**{setting: getattr(ours, kind), f"{setting}_password": password}), datetime.now(UTC))
    assert ([setting] if told else []) == [one.setting for one in found]
    assert all(password not in str(one) for one in found if password)


def test_the_days_that_are_left_are_said(settings, certificates):
    for left, said in ((20, "in 19 days"), (-1, "already")):
        ours = certificates.client("29189668", "Randers Kommune", left=timedelta(days=left))
        (found,) = expiries(settings(certificate=ours.pem, certificate_password=""), datetime.now(UTC))
        assert said in str(found)
        assert str(ours.pem) in str(found)


def test_authorities_and_signers_are_told_too(settings):
    later = datetime.now(UTC) + timedelta(days=3 * 365 - 10)
    named = {one.setting for one in expiries(settings(), later)}
    assert {"ca", "signer_ca", "signer_certificates"} <= named


@pytest.mark.parametrize(("form", "files"), [("pem", 1), ("der", 2)])
def test_a_revocation_list_is_told_for_the_last_quarter_of_its_life(settings, certificates, form, files):
    """They are made for 180 days here, so the 30 days come first."""
    found = expiries(settings(crl=certificates.crl(left=timedelta(days=29), form=form)), datetime.now(UTC))
    assert files == len(found)
    assert {"crl"} == {one.setting for one in found}


def test_a_list_of_a_day_is_not_always_told(settings, certificates):
    crl = certificates.crl(left=timedelta(hours=20), life=timedelta(hours=24))
    assert [] == expiries(settings(crl=crl), datetime.now(UTC))
    found = expiries(settings(crl=crl), datetime.now(UTC) + timedelta(hours=15))
    assert ["crl"] == [one.setting for one in found]
    assert "in less than a day" in str(found[0])


def test_settings_without_certificates_have_nothing_to_tell():
    assert [] == expiries(Settings(url="sftp://x"), datetime.now(UTC))


def test_a_file_that_went_away_is_a_settings_error(settings):
    with pytest.raises(SettingsError):
        expiries(settings(crl="/missing"), datetime.now(UTC))
