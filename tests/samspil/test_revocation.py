"""Revocation lists: what is revoked, or what nobody in force speaks of, is refused over real TLS."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from samspil.certificate import authorities
from samspil.errors import AccessError, Refused, SettingsError
from samspil.http import HttpSettings, Session
from samspil.revocation import Revocations
from samspil.testing.certificates import Certificates
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

PAST = timedelta(days=-1)


class Mutual(Sandbox):
    """Mutual TLS."""

    def __init__(self, certificates):
        super().__init__(World("760", citizens=1))
        self.certificates = certificates

    def routes(self):
        async def answer(_request):
            return Response("ok")

        return Starlette(routes=[Route("/x", answer)])

    def tls(self):
        return self.certificates.server_context(require=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("oces"))


@pytest.fixture(scope="module")
def sandbox(certificates):
    with Mutual(certificates) as sandbox:
        yield sandbox


@pytest.fixture
def called(certificates, sandbox):
    ours = certificates.client("29189668", "Randers Kommune")

    def call(crl):
        session = Session(
            "star",
            HttpSettings(
                url=sandbox.account.url,
                timeout=5,
                attempts=1,
                ca=str(certificates.ca),
                certificate=str(ours.pem),
                crl=str(crl),
            ),
        )
        try:
            return session.send("GET", "/x").status
        finally:
            session.close()

    return call


@pytest.fixture(scope="module")
def server(certificates):
    return authorities(str(certificates.server))[0]


@pytest.mark.parametrize("form", ["pem", "der"])
def test_a_certificate_that_no_list_speaks_against_is_trusted(certificates, called, form):
    assert 200 == called(certificates.crl(form=form))


@pytest.mark.parametrize("form", ["pem", "der"])
def test_a_revoked_server_gets_nothing(certificates, called, server, sandbox, form):
    before = len(sandbox.calls)
    with pytest.raises(AccessError, match="revoked") as caught:
        called(certificates.crl(server, form=form))
    assert "server-revoked" == caught.value.reason
    assert before == len(sandbox.calls)


def test_a_revoked_authority_takes_all_below_it_along(certificates, called):
    with pytest.raises(AccessError) as caught:
        called(certificates.crl(certificates.issuing))
    assert "server-revoked" == caught.value.reason


def test_a_list_that_ran_out_lets_nobody_through(certificates, called):
    with pytest.raises(AccessError, match="fetch a new one") as caught:
        called(certificates.crl(left=PAST))
    assert "crl-expired" == caught.value.reason


def test_an_authority_without_a_list_lets_nobody_through(certificates, called):
    with pytest.raises(AccessError) as caught:
        called(certificates.crl(root=False))
    assert "crl-missing" == caught.value.reason


def test_a_list_that_somebody_else_signed_counts_for_nothing(certificates, called, tmp_path):
    with pytest.raises(AccessError) as caught:
        called(Certificates(tmp_path).crl())  # authorities of the same names, with other keys
    assert caught.value.reason in ("server-certificate", "crl-missing")


def test_a_list_that_is_missing_or_none_is_a_settings_error(certificates, called, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.crl").write_text("nothing")
    for place in (tmp_path / "missing", tmp_path / "empty", tmp_path / "none.crl", certificates.ca):
        with pytest.raises(SettingsError) as caught:
            called(place)
        assert "crl" == caught.value.field


def test_a_list_larger_than_any_is_not_read(certificates, monkeypatch):
    monkeypatch.setattr("samspil.revocation.LARGEST", 100)
    with pytest.raises(SettingsError):
        Revocations(str(certificates.crl()))


@pytest.fixture
def asked(certificates, tmp_path):
    """What a list with this extension says of a chain."""
    issuing, root = certificates.issuing, authorities(str(certificates.ca))[0]
    leaf = x509.load_pem_x509_certificate(certificates.client("29189668", "Randers Kommune").pem.read_bytes())

    def ask(*, at=None, extension=None):
        place = tmp_path / "lists"
        place.mkdir(exist_ok=True)
        for name, signer in (("issuing", certificates._issuing), ("root", certificates._root)):
            builder = x509.CertificateRevocationListBuilder(signer.certificate.subject)
            builder = builder.last_update(datetime.now(UTC) - timedelta(days=1))
            builder = builder.next_update(datetime.now(UTC) + timedelta(days=1))
            if extension is not None and name == "issuing":
                builder = builder.add_extension(extension, critical=True)
            (place / f"{name}.pem").write_bytes(builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        Revocations(str(place)).check([leaf, issuing, root], at or datetime.now(UTC))

    return ask


def _about(**only):
    known = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**known, **only})


def test_a_list_about_users_speaks_of_a_user(asked):
    asked()
    asked(extension=_about(only_contains_user_certs=True))


@pytest.mark.parametrize(
    "extension",
    [
        _about(only_contains_ca_certs=True),
        _about(indirect_crl=True),
        _about(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),
        _about(full_name=[x509.UniformResourceIdentifier("http://crl.example/another.crl")]),
        x509.DeltaCRLIndicator(1),
    ],
    ids=["authorities", "indirect", "some-reasons", "another-part", "differences"],
)
def test_a_list_that_is_about_others_says_nothing(asked, extension):
    with pytest.raises(Refused) as caught:
        asked(extension=extension)
    assert "revocation-unknown" == caught.value.reason


@pytest.mark.parametrize("days", [-2, 2])
def test_a_list_counts_between_its_dates(asked, days):
    with pytest.raises(Refused) as caught:
        asked(at=datetime.now(UTC) + timedelta(days=days))
    assert "revocation-unknown" == caught.value.reason
