"""A declared security over real HTTP(S): requests signed, answers verified, with a token of an STS or without."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest
from msgspec.structs import fields

from samspil.connector import Change
from samspil.declared import declared
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.testing.certificates import Certificates
from samspil.testing.soap import signing
from samspil.testing.world import World
from samspil.wssecurity import Security

ANSWERS = {
    "signed": "{answers: signed}",
    "without addressing": "{answers: signed, addressing: false}",
    "unsigned": "{answers: unsigned}",
    "with a token": '{answers: signed, framework: true, service: "urn:service", token: {}}',
    "with a token, unsigned": '{answers: unsigned, token: {audience: "urn:audience", sts_signer: "19435075"}}',
}
RECORD = {"Id": "", "Cpr": "0101501234", "Opened": "2026-01-02", "Kle": "15.20.00", "Group": "6.2"}


def secure(vendor, text="{answers: signed}", login="{header: X-Key}"):
    vendor.swap("login: {header: X-Key}\n", f"login: {login}\nsecurity: {text}\n")
    return vendor.sandbox()


def puts(*names, **more):
    return [Change.of("put", {**RECORD, "Id": name, **more}, None, str(uuid.uuid4())) for name in names]


def reason(connector):
    with pytest.raises(AccessError) as caught:
        connector.check()
    return caught.value.reason


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("login", ["{header: X-Key}", "certificate"])
def test_what_is_signed_is_checked_read_written_and_fetched(vendor, good, kind, login):
    sandbox = secure(vendor, ANSWERS[kind], login)
    connector = vendor.connector(sandbox)
    connector.check()
    assert good(1) == {key for page in connector.read("case") for key in page.keys}
    receipts = connector.write("case", [*puts("A", "B"), *puts("C", Group="x")])
    assert ["N-A", "N-B", None] == [one.their_id for one in receipts]
    assert {"A", "B"} == set(sandbox.held("case"))
    assert "A" == connector.fetch("case", "N-A")["Id"]
    assert connector.fetch("case", "N-X") is None


def test_many_records_come_in_pages_of_signed_answers(vendor):
    vendor.world = World("760", citizens=2500)
    sandbox = secure(vendor)
    connector = vendor.connector(sandbox, page_size=1200)
    pages = list(connector.read("case"))
    assert [1200, 1200, 100] == [len(page.keys) for page in pages]
    assert sorted(fact["id"].encode() for fact in vendor.world.records("case")) == [
        key for page in pages for key in page.keys
    ]
    found = [one for page in pages for one in connector.decode("case", page.raws)]
    assert ["bad-date", "bad-format"] == sorted(one.reason for one in found if isinstance(one, Refused))


def test_a_damaged_record_in_a_signed_answer_costs_no_other(vendor):
    sandbox = secure(vendor)
    sandbox.to_night(3)
    connector = vendor.connector(sandbox)
    pages = list(connector.read("case"))
    assert {fact["id"].encode() for fact in vendor.world.records("case", 3)} == {
        key for page in pages for key in page.keys
    }
    found = Counter(
        one.reason for page in pages for one in connector.decode("case", page.raws) if isinstance(one, Refused)
    )
    assert 1 <= found["unknown-field"]  # one of broken syntax could not be signed


def test_one_token_serves_all_calls_and_is_of_the_sts(vendor):
    sandbox = secure(vendor, ANSWERS["with a token"])
    connector = vendor.connector(sandbox)
    for _ in range(3):
        connector.check()
    assert 1 == sandbox._access.signing._sts.issued
    assert 3 == len(sandbox.calls)


def test_an_sts_that_is_down_is_unavailable_and_one_that_refuses_us_an_access_error(vendor):
    sandbox = secure(vendor, ANSWERS["with a token"])
    assert "security-refused" == reason(vendor.connector(sandbox, audience="urn:other"))
    assert "security-refused" == reason(vendor.connector(sandbox, cvr="12345678"))
    sandbox._access.signing.stop()
    with pytest.raises(Unavailable):
        vendor.connector(sandbox).check()
    assert [] == sandbox.calls


def test_an_answer_counts_only_if_it_is_signed_by_whom_the_account_names(vendor, tmp_path):
    sandbox = secure(vendor)
    assert "signer-untrusted" == reason(vendor.connector(sandbox, signer="12345678"))
    other = Certificates(tmp_path / "other", keys="rsa")
    assert "signer-untrusted" == reason(vendor.connector(sandbox, signer_ca=str(other.ca)))
    with pytest.raises(AccessError):
        list(vendor.connector(sandbox, signer="12345678").read("case"))


def test_an_unsigned_answer_is_never_used(vendor):
    sandbox = secure(vendor, "{answers: unsigned}")
    vendor.swap("answers: unsigned", "answers: signed")
    connector = vendor.connector(sandbox, signer=signing.SYSTEM, signer_ca=signing._identities().ca)
    assert "signature-missing" == reason(connector)
    with pytest.raises(AccessError):
        list(connector.read("case"))
    with pytest.raises(AccessError):
        connector.write("case", puts("A"))


def test_a_signed_fault_is_what_it_says(vendor):
    sandbox = secure(vendor)
    connector = vendor.connector(sandbox, attempts=1)
    sandbox.faults.add("fault:Client")
    with pytest.raises(Refused) as refused:
        connector.check()
    assert "fault-client" == refused.value.reason
    sandbox.faults.add("fault:Busy")
    with pytest.raises(Unavailable) as unavailable:
        connector.check()
    assert "fault-busy" == unavailable.value.reason


@pytest.mark.parametrize("fault", ["lost-answer", "truncate", "garbage", "status:503", "half-batch"])
def test_a_call_that_goes_wrong_once_is_repeated_without_harm(vendor, fault):
    sandbox = secure(vendor)
    sandbox.faults.add(fault)
    receipts = vendor.connector(sandbox).write("case", puts("A", "B"))
    assert ["N-A", "N-B"] == [one.their_id for one in receipts]
    assert [] == sandbox.doubled("case")


ALTERED = {
    "unsigned": lambda data, _sealed: data,
    "another record": lambda _data, sealed: sealed.replace(b">15.20.00<", b">27.69.40<"),
    "another moment": lambda _data, sealed: sealed.replace(b":Created>2", b":Created>1"),
    "no addressing": lambda _data, sealed: sealed.replace(b"<wsa:To", b"<wsa:No").replace(b"</wsa:To", b"</wsa:No"),
    "another's certificate": lambda _data, sealed: sealed.replace(b"BinarySecurityToken", b"BinarySecurityTokens"),
}


@pytest.mark.parametrize("kind", ALTERED)
def test_a_request_that_is_not_as_it_was_signed_is_refused_with_a_fault(vendor, monkeypatch, kind):
    sandbox = secure(vendor)
    seal = Security.seal

    def altered(self, data, **options):
        sealed = seal(self, data, **options)
        assert sealed.data != ALTERED[kind](data, sealed.data)
        return sealed._replace(data=ALTERED[kind](data, sealed.data))

    monkeypatch.setattr(Security, "seal", altered)
    with pytest.raises(AccessError) as caught:
        vendor.connector(sandbox).write("case", puts("A"))
    assert "security-refused" == caught.value.reason
    assert {} == sandbox.held("case")


@pytest.mark.parametrize(
    ("declared_there", "declared_here"),
    [
        ("{answers: signed}", "{answers: signed, addressing: false}"),
        ("{answers: signed, framework: true}", "{answers: signed}"),
        ('{answers: signed, service: "urn:a"}', '{answers: signed, service: "urn:b"}'),
    ],
)
def test_a_system_refuses_what_lacks_something_of_its_security(vendor, declared_there, declared_here):
    sandbox = secure(vendor, declared_there)
    vendor.swap(declared_there, declared_here)
    assert "security-refused" == reason(vendor.connector(sandbox))


def test_a_system_that_wants_a_token_refuses_a_certificate_alone(vendor):
    sandbox = secure(vendor, '{answers: signed, token: {}, service: "urn:service"}')
    vendor.swap(", token: {}", "")
    nothing = dict.fromkeys(("sts", "sts_signer", "audience", "cvr"), None)
    extra = {name: value for name, value in sandbox.account.extra.items() if name not in nothing}
    sandbox._access.signing.settings = lambda: extra
    assert "security-refused" == reason(vendor.connector(sandbox))


def test_another_organisation_s_certificate_is_refused(vendor):
    sandbox = secure(vendor)
    other = signing._identities().certificates.client("12345678", "En anden")
    assert "security-refused" == reason(vendor.connector(sandbox, signing_certificate=str(other.p12)))


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("{answers: unsigned}", {"signing_certificate"}),
        ("{answers: signed}", {"signing_certificate", "signer_ca"}),
        (
            "{answers: unsigned, token: {}}",
            {"signing_certificate", "signer_ca", "sts", "sts_signer", "audience"},
        ),
        (
            '{answers: signed, token: {sts: "https://sts/x", sts_signer: "19435075", audience: "urn:a"}}',
            {"signing_certificate", "signer_ca"},
        ),
    ],
)
def test_the_settings_are_what_the_security_needs(vendor, text, needs):
    vendor.swap("login: {header: X-Key}\n", f"login: none\nsecurity: {text}\n")
    found = declared(vendor.folder / "connector.yaml").Settings
    assert {"url", *needs} == {field.name for field in fields(found) if field.required}


ACCOUNTS = {
    "nobody to have signed": (
        "{answers: signed}",
        {"signer": ""},
        "signer: is missing: the answers are signed, by whom? Give a CVR number, or signer_certificates",
    ),
    "a signer of what is not signed": (
        "{answers: unsigned}",
        {"signer": "10103940"},
        "signer: is set, but the security in connector.yaml has no use for it",
    ),
    "an STS that nobody asks": (
        "{answers: signed}",
        {"sts": "https://sts"},
        "sts: is set, but the security in connector.yaml has no use for it",
    ),
    "an address without addressing": (
        "{answers: signed, addressing: false}",
        {"service": "urn:x"},
        "service: is set, but the security in connector.yaml has no use for it",
    ),
}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_an_account_that_does_not_fit_the_security_is_a_settings_error(vendor, kind):
    text, changed, problem = ACCOUNTS[kind]
    sandbox = secure(vendor, text)
    with pytest.raises(SettingsError) as caught:
        vendor.connector(sandbox, **changed)
    assert problem == str(caught.value)


def test_an_account_without_a_declared_security_cannot_sign(vendor):
    with pytest.raises(SettingsError, match="signing_certificate"):
        vendor.connector(vendor.sandbox(), signing_certificate="x.p12")


PROBLEMS = {
    "no word about the answers": (
        "{addressing: true}",
        "connector.yaml:5: security: Object missing required field `answers`",
    ),
    "another word about them": (
        "{answers: maybe}",
        "connector.yaml:5: security.answers: Invalid enum value 'maybe'; it may be signed, unsigned",
    ),
    "an unknown word": (
        "{answers: signed, sign: true}",
        "connector.yaml:5: security: Object contains unknown field `sign`",
    ),
    "a framework without addressing": (
        "{answers: signed, addressing: false, framework: true}",
        "connector.yaml:5: security: framework and service belong to addressing",
    ),
    "an STS without TLS": (
        '{answers: signed, token: {sts: "http://sts"}}',
        "connector.yaml:5: security.token.sts: Expected `str` matching regex '^(https://\\\\S+)?\\\\Z'",
    ),
    "a signer that is no CVR number": (
        '{answers: signed, token: {sts_signer: "KOMBIT"}}',
        "connector.yaml:5: security.token.sts_signer: Expected `str` matching regex '^([0-9]{8})?\\\\Z'",
    ),
    "an unknown word of a token": (
        "{answers: signed, token: {issuer: x}}",
        "connector.yaml:5: security.token: Object contains unknown field `issuer`",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_security_that_cannot_be_is_one_line_with_its_place(vendor, name):
    text, problem = PROBLEMS[name]
    vendor.swap("login: {header: X-Key}\n", f"login: {{header: X-Key}}\nsecurity: {text}\n")
    assert problem == vendor.problem()


def test_addressing_wants_an_action_of_every_operation_that_is_called(vendor):
    vendor.swap('soapAction="urn:vendor/Find"', 'soapAction=""', "vendor.wsdl")
    vendor.swap("login: {header: X-Key}\n", "login: none\nsecurity: {answers: signed}\n")
    assert vendor.problem() == (
        "connector.yaml:17: schemas.case.list.operation: the WSDL names no SOAPAction for Find, which security with addressing "
        "cannot do without"
    )
    vendor.swap("answers: signed", "answers: signed, addressing: false")
    declared(vendor.folder / "connector.yaml")


def test_a_setting_of_the_security_s_is_taken(vendor):
    vendor.swap("login: {header: X-Key}\n", "login: none\nsecurity: {answers: signed}\n")
    vendor.swap("  office: {default: north}", "  signer: {default: north}")
    assert "connector.yaml:7: settings.signer: is a setting already" == vendor.problem()
