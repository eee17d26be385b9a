"""xmlsec1 agrees with us on every byte that is signed."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from samspil import xml
from samspil.errors import Refused
from samspil.testing.sts import assertion
from samspil.wssecurity.message import Address, seal
from samspil.wssecurity.names import DS, RSA_SHA256, SHA256

from .conftest import needed

needed("xmlsec1")


DATA = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:q="urn:q"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Header><h xmlns="urn:h">1</h></e:Header>
  <e:Body a="&lt;&quot;&#10;" q:b='2'><!-- c --><x xmlns="urn:x"><y xmlns="">æ &amp; å]]&gt;</y><q:z xsi:type="q:t"/>
  <![CDATA[<&]]></x></e:Body></e:Envelope>"""
ELEMENTS = ("Body", "Timestamp", "Action", "MessageID", "To", "ReplyTo", "BinarySecurityToken")


@pytest.fixture
def sealed(sides):
    return seal(DATA.encode(), sides.us.credentials, address=Address("urn:a", "urn:b")).data


def xmlsec1(how, folder, data, *more, ids=ELEMENTS):
    file = folder / "message.xml"
    file.write_bytes(data)
    options = [option for name in ids for option in ("--id-attr:Id", name)]
    return subprocess.run(["xmlsec1", how, *more, *options, file], capture_output=True, check=False)


def test_xmlsec1_verifies_every_reference_of_ours(sealed, sides, tmp_path):
    run = xmlsec1("--verify", tmp_path, sealed, "--pubkey-cert-pem", sides.us.certificate)
    assert (0, True) == (run.returncode, b"7/7" in run.stdout + run.stderr)


def test_xmlsec1_finds_what_was_altered(sealed, sides, tmp_path):
    run = xmlsec1(
        "--verify",
        tmp_path,
        sealed.replace(b">1<", b">2<").replace(b"]]&gt;", b""),
        "--pubkey-cert-pem",
        sides.us.certificate,
    )
    assert 0 != run.returncode


def blank(data: bytes) -> bytes:
    """The message with its digests and its signature left for xmlsec1 to fill in."""
    return re.sub(rb"(<ds:(Digest|Signature)Value>)[^<]*", rb"\1", data)


def test_xmlsec1_makes_the_very_signature_that_we_make(sealed, sides, tmp_path):
    run = xmlsec1("--sign", tmp_path, blank(sealed), "--privkey-pem", sides.us.key)
    ours, theirs = xml.parse(sealed), xml.parse(run.stdout)
    for name in ("DigestValue", "SignatureValue"):
        first, second = (
            [("".join(one.text.split())) for one in root.iter(f"{{{DS}}}{name}")] for root in (ours, theirs)
        )
        assert first == second
    sides.secured.open(run.stdout)


@pytest.mark.parametrize("which", [{RSA_SHA256: f"{DS}rsa-sha1"}, {SHA256: f"{DS}sha1"}])
def test_we_refuse_sha_1_though_xmlsec1_signed_it_with_the_right_key(sealed, sides, tmp_path, which):
    data = blank(sealed)
    for old, new in which.items():
        data = data.replace(old.encode(), new.encode())
    run = xmlsec1("--sign", tmp_path, data, "--privkey-pem", sides.us.key)
    assert 0 == xmlsec1("--verify", tmp_path, run.stdout, "--pubkey-cert-pem", sides.us.certificate).returncode
    with pytest.raises(Refused) as caught:
        sides.secured.open(run.stdout)
    assert "algorithm-refused" == caught.value.reason


def test_xmlsec1_verifies_the_assertions_of_our_sts(sides, tmp_path):
    made = assertion(
        sides.them.credentials,
        sides.us.credentials.certificate,
        audience="urn:æ",
        life=timedelta(hours=1),
        attributes={"a": "<ø>"},
    )
    issuing = tmp_path / "issuing.pem"
    issuing.write_bytes(sides.them.credentials.chain[0].public_bytes(Encoding.PEM))
    trusted = ("--trusted-pem", sides.ca, "--untrusted-pem", issuing, "--id-attr:ID", "Assertion")
    assert 0 == xmlsec1("--verify", tmp_path, made, *trusted, ids=()).returncode
    altered = made.replace("urn:æ".encode(), b"urn:b").replace(b"urn:&#230;", b"urn:b")
    assert altered != made
    assert 0 != xmlsec1("--verify", tmp_path, altered, *trusted, ids=()).returncode
