"""Apache WSS4J verifies what we sign, and we verify what it signs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from samspil import xml
from samspil.cut import RecordShape
from samspil.errors import AccessError
from samspil.testing.sts import assertion
from samspil.wssecurity import message
from samspil.wssecurity.assertion import Assertion

from .conftest import needed

needed("WSS4J")


COVERED = "Action BinarySecurityToken Body MessageID ReplyTo Timestamp To"
SHAPE = RecordShape("urn:x", "Sag", "Id", "p")


@pytest.mark.parametrize("names_itself_by", ["token", "bst", "embedded", "serial", "thumbprint", "ski"])
def test_wss4j_verifies_our_request_and_we_its_answer(wss4j, connect, sides, names_itself_by):
    """However it names its certificate; ``token`` signs that by an STR-Transform."""
    security = sides.pinned if names_itself_by in ("serial", "thumbprint", "ski") else sides.security
    found = connect(f"{wss4j}/{names_itself_by}", security).call("Hent", {"Id": "æøå <&> \"'"})
    assert ["æøå <&> \"'", COVERED] == [one["Id"] for one in found["Sag"]]


@pytest.mark.parametrize("names_itself_by", ["token", "bst"])
def test_its_answer_is_verified_as_a_stream(wss4j, connect, sides, names_itself_by):
    """It lists prefixes in InclusiveNamespaces, which must be right around each piece of the stream."""
    reading = connect(f"{wss4j}/{names_itself_by}", sides.security).read("Hent", {"Id": "1"}, SHAPE)
    assert [b"1", b"Action"] == [key.partition(b" ")[0] for slices in reading for key in slices.keys]


def test_wss4j_verifies_records_put_last_as_bytes(wss4j, connect, sides):
    records = [b"<p:Sag><p:Id>a</p:Id></p:Sag>", b"<p:Sag><p:Id>b</p:Id></p:Sag>"]
    soap = connect(f"{wss4j}/bst", sides.security)
    assert "a" == soap.call("Hent", {}, records=records, prefixes=SHAPE.prefixes)["Sag"][0]["Id"]


def test_wss4j_verifies_the_framework_header(wss4j, connect, sides):
    found = connect(f"{wss4j}/bst", replace(sides.security, framework=True)).call("Hent", {"Id": "1"})
    assert "Framework" in found["Sag"][1]["Id"].split()


def test_wss4j_verifies_a_body_with_typed_values(wss4j, connect, sides):
    """Whose prefixes stand in values only, so that we list them."""
    typed = (
        b'<p:HentRequest xmlns:p="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xmlns:xs="http://www.w3.org/2001/XMLSchema"><p:Id xsi:type="xs:string">1</p:Id></p:HentRequest>'
    )
    assert "1" == connect(f"{wss4j}/bst", sides.security).call("Hent", {}, message=typed)["Sag"][0]["Id"]


def test_wss4j_refuses_what_was_altered(wss4j, connect, sides, monkeypatch):
    def altered(*arguments, **options):
        sealed = message.seal(*arguments, **options)
        return sealed._replace(data=sealed.data.replace(b">right<", b">wrong<"))

    monkeypatch.setattr("samspil.wssecurity.security.seal", altered)
    with pytest.raises(AccessError) as caught:
        connect(f"{wss4j}/bst", sides.security).call("Hent", {"Id": "right"})
    assert "security-refused" == caught.value.reason


class Given:
    """Stands where the tokens of an STS do: one that was given beforehand."""

    def __init__(self, token):
        self.token = token

    def get(self):
        return self.token


@pytest.mark.parametrize("prefix", ["", "saml:"])
@pytest.mark.parametrize("altered", [False, True])
def test_wss4j_digests_a_saml_token_as_we_do(wss4j, connect, sides, monkeypatch, prefix, altered):
    """With and without a default namespace in the token, which the STR-Transform treats differently."""
    made = assertion(
        sides.them.credentials,
        sides.us.credentials.certificate,
        audience="urn:a",
        life=timedelta(hours=1),
        attributes={"a": "æ"},
    )
    if prefix:
        made = re.sub(rb"<(/?)(?!ds:)(?=[A-Z])", rb"<\1saml:", made).replace(b"xmlns=", b"xmlns:saml=", 1)

    def sent(*arguments, **options):
        sealed = message.seal(*arguments, **options)
        return sealed._replace(data=sealed.data.replace(b"urn:a<", b"urn:b<") if altered else sealed.data)

    monkeypatch.setattr("samspil.wssecurity.security.seal", sent)
    soap = connect(f"{wss4j}/bst", replace(sides.security, token=Given(Assertion(xml.parse(made)))))
    if altered:
        with pytest.raises(AccessError) as caught:
            soap.call("Hent", {"Id": "1"})
        assert "security-refused" == caught.value.reason
    else:
        covered = soap.call("Hent", {"Id": "1"})["Sag"][1]["Id"]
        assert "Action Body MessageID ReplyTo SecurityTokenReference Timestamp To" == covered


def test_we_refuse_its_sha_1_though_it_is_rightly_signed(wss4j, connect, sides):
    with pytest.raises(AccessError) as caught:
        connect(f"{wss4j}/bst?sha1", sides.security).call("Hent", {"Id": "1"})
    assert "algorithm-refused" == caught.value.reason


def test_we_refuse_a_certificate_named_by_its_number_unless_we_have_it(wss4j, connect, sides):
    with pytest.raises(AccessError) as caught:
        connect(f"{wss4j}/serial", sides.security).call("Hent", {"Id": "1"})
    assert "signer-untrusted" == caught.value.reason
