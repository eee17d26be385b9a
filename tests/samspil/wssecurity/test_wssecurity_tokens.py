"""SAML tokens from an STS over real HTTPS: fetched once, kept until shortly before they expire, used to sign."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from samspil import xml
from samspil.certificate import credentials
from samspil.errors import AccessError, Refused, Unavailable
from samspil.http import HttpSettings, Session
from samspil.testing.secured import Secured
from samspil.testing.sts import Sts, assertion
from samspil.testing.world import World
from samspil.wssecurity import Security, Tokens
from samspil.wssecurity.assertion import Assertion
from samspil.wssecurity.message import seal
from samspil.wssecurity.names import DS, SAML, WSSE, WSU
from samspil.wssecurity.signature import Reference

SERVICE = "http://entityid.kombit.dk/service/organisation/5"
CLAIMS = {"dk:gov:saml:attribute:CvrNumberIdentifier": "29189668"}
SKEW = timedelta(minutes=1)


@pytest.fixture(scope="module")
def world():
    return World("730", citizens=1)


@pytest.fixture
def sts(world, certificates):
    with Sts(world, certificates, customer="29189668", audiences=frozenset({SERVICE})) as sts:
        yield sts


@pytest.fixture
def ask(sts, us, certificates):
    sessions = []

    def tokens(identity=us, **options):
        url = f"{sts.account.url}/sts"
        sessions.append(Session("sts", HttpSettings(url=url, ca=str(certificates.ca)), passed=(500,)))
        given = {"issuer": sts.trust, "audience": SERVICE, "system": "sts", "claims": CLAIMS, **options}
        return Tokens(sessions[-1], url, Security(identity, sts.trust), **given)

    yield tokens
    for session in sessions:
        session.close()


class Clock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


def test_a_token_is_for_the_service_and_bound_to_our_key(ask, us):
    token = ask().get()
    assert (SERVICE, us.certificate) == (token.audience, token.holder)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_one_token_serves_many_callers_at_once(ask, sts, version):
    tokens = ask(soap=version)
    found, start = [], threading.Barrier(16)

    def call():
        start.wait()
        found.append(tokens.get().id)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (16, 1, 1) == (len(found), len(set(found)), sts.issued)


def test_a_token_is_renewed_shortly_before_it_expires(ask, sts):
    clock = Clock()
    tokens = ask(clock=clock)
    first = tokens.get()
    clock.now = first.ends - timedelta(seconds=61)
    assert (first, 1) == (tokens.get(), sts.issued)
    clock.now = first.ends - timedelta(seconds=59)
    assert tokens.get().id != first.id
    assert 2 == sts.issued


def test_a_token_of_a_short_life_is_used_all_the_same(ask, sts):
    sts.life = timedelta(seconds=30)
    clock = Clock()
    tokens = ask(clock=clock)
    first = tokens.get()
    clock.now = first.ends - timedelta(seconds=4)
    assert first == tokens.get()
    clock.now = first.ends - timedelta(seconds=2)
    tokens.get()
    assert 2 == sts.issued


@pytest.mark.parametrize("options", [{"audience": "urn:other"}, {"claims": {next(iter(CLAIMS)): "12345678"}}])
def test_an_sts_that_gives_no_token_is_an_access_error(ask, options):
    with pytest.raises(AccessError) as caught:
        ask(**options).get()
    assert "security-refused" == caught.value.reason


def test_an_sts_that_does_not_know_us_is_an_access_error(ask, certificates):
    given = certificates.client("10103940", "En anden")
    with pytest.raises(AccessError):
        ask(identity=credentials(str(given.p12), given.password)).get()


def test_an_sts_that_is_down_is_unavailable_and_asked_again_by_the_next_caller(ask, sts):
    tokens = ask()
    sts.stop()
    with pytest.raises(Unavailable):
        tokens.get()
    sts.start()
    assert SERVICE == tokens.get().audience


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda token: token.replace(b"29189668", b"29189669"), "token-invalid"),
        (lambda token: token.replace(b"holder-of-key", b"bearer"), "token-invalid"),
        (lambda token: token.replace(b"<Issuer>", b"<Issuer>x"), "token-invalid"),
    ],
)
def test_a_token_altered_by_the_sts_s_own_proxy_is_an_access_error(ask, sts, monkeypatch, change, reason):
    issue = sts._token
    monkeypatch.setattr(sts, "_token", lambda opened: change(issue(opened)))
    with pytest.raises(AccessError) as caught:
        ask().get()
    assert reason == caught.value.reason


def test_a_token_of_another_s_key_or_service_is_an_access_error(ask, sts, them, monkeypatch):
    for holder, audience in ((them.certificate, SERVICE), (None, "urn:other")):
        tokens = ask()
        made = assertion(
            sts.ours,
            holder or tokens._security.identity.certificate,
            audience=audience,
            life=timedelta(hours=1),
            attributes={},
        )
        with pytest.raises(AccessError) as caught:
            tokens._checked(xml.parse(made))
        assert "token-invalid" == caught.value.reason


def test_a_call_is_signed_with_the_token_and_covers_it(ask, sts, service, connect, security):
    service.secured = Secured(service.secured.ours, service.secured.trust, issuer=sts.trust)
    service.seal = service.secured.answer
    connect(replace(security, token=ask(), framework=True)).call("Hent", {"Id": "æ"})
    root = xml.parse(service.calls[0])
    assert SERVICE == service.opened[0].verified.assertion.audience
    ids = {element.get(f"{{{WSU}}}Id"): xml.local(element) for element in root.iter()}
    names = sorted(ids[one.get("URI")[1:]] for one in root.iter(f"{{{DS}}}Reference") if one.get("URI")[1:] in ids)
    expected = ["Action", "Body", "Framework", "MessageID", "ReplyTo", "SecurityTokenReference", "Timestamp", "To"]
    assert expected == names
    assert root.find(f".//{{{WSSE}}}BinarySecurityToken") is None
    assert "Id" not in root.find(f".//{{{SAML}}}Assertion").attrib


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b">29189668</", b">29189669</", "signature-invalid"),
        (b"<Audience>", b"<Audience>x", "token-invalid"),
    ],
)
def test_a_service_refuses_an_altered_token(ask, sts, service, us, security, old, new, reason):
    token = ask().get()
    data = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>'
    sealed = seal(data, us, assertion=token).data
    service.secured.__class__(service.secured.ours, service.secured.trust, issuer=sts.trust).open(sealed)
    with pytest.raises(Refused) as caught:
        Secured(service.secured.ours, service.secured.trust, issuer=sts.trust).open(sealed.replace(old, new))
    assert caught.value.reason in (reason, "token-invalid")


def test_a_token_is_of_no_use_to_who_does_not_have_the_key(ask, sts, service, them):
    token = ask().get()
    data = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>'
    with pytest.raises(Refused) as caught:
        Secured(service.secured.ours, service.secured.trust, issuer=sts.trust).open(
            seal(data, them, assertion=token).data
        )
    assert "signature-invalid" == caught.value.reason


def test_a_service_that_wants_a_token_refuses_a_certificate_alone(sts, service, us):
    data = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/></e:Body></e:Envelope>'
    with pytest.raises(Refused) as caught:
        Secured(service.secured.ours, service.secured.trust, issuer=sts.trust).open(seal(data, us).data)
    assert "token-missing" == caught.value.reason


@pytest.mark.parametrize("starts", [timedelta(hours=-2), timedelta(minutes=5)])
def test_a_token_outside_its_time_is_refused(sts, us, starts):
    now = datetime.now(UTC)
    made = assertion(
        sts.ours, us.certificate, audience=SERVICE, life=timedelta(hours=1), attributes={}, starts=now + starts
    )
    with pytest.raises(Refused) as caught:
        Assertion(xml.parse(made)).check(sts.trust, now, SKEW)
    assert "token-expired" == caught.value.reason


def checked(made, sts):
    with pytest.raises(Refused) as caught:
        Assertion(xml.parse(made)).check(sts.trust, datetime.now(UTC), SKEW)
    return caught.value.reason


def test_a_token_signed_with_another_key_under_the_sts_s_certificate_is_refused(sts, us):
    forged = sts.ours._replace(key=us.key)
    made = assertion(forged, us.certificate, audience=SERVICE, life=timedelta(hours=1), attributes={})
    assert "signature-invalid" == checked(made, sts)


def test_a_token_whose_signature_is_about_something_else_is_refused(sts, us, monkeypatch):
    class Other(Reference):
        @classmethod
        def of(cls, target, data, **options):
            return Reference.of(f"{target}-other", data, **options)

    monkeypatch.setattr("samspil.testing.sts.Reference", Other)
    made = assertion(sts.ours, us.certificate, audience=SERVICE, life=timedelta(hours=1), attributes={})
    assert "token-invalid" == checked(made, sts)


def test_a_token_signed_by_another_of_the_same_authority_is_refused(sts, us, them):
    made = assertion(us, us.certificate, audience=SERVICE, life=timedelta(hours=1), attributes={})
    assert "signer-untrusted" == checked(made, sts)
