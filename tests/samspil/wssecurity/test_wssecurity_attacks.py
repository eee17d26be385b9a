"""Answers made by somebody in between: none gets through, by a call or as a stream."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from samspil import xml
from samspil.certificate import credentials
from samspil.cut import RecordShape
from samspil.errors import AccessError, Unavailable
from samspil.testing.certificates import Certificates
from samspil.testing.secured import Secured
from samspil.wssecurity import Trust, message
from samspil.wssecurity.canonical import canonical
from samspil.wssecurity.names import DS, ENVELOPED, EXCLUSIVE, ID, RSA_SHA256, SHA256, WSA, WSSE, WSU
from samspil.wssecurity.signature import Reference
from samspil.wssecurity.streaming import BATCH

SHAPE = RecordShape("urn:x", "Sag", "Id", "p")
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
GOOD = b'<p:HentResponse xmlns:p="urn:x"><p:Status>20</p:Status><p:Sag><p:Id>good</p:Id></p:Sag></p:HentResponse>'
EVIL = GOOD.replace(b"good", b"evil")


@pytest.fixture(params=["call", "read"])
def caught(request, service, connect, security):
    """Calls, with the answer altered on the way; the error that it must end in."""
    service.respond = lambda _opened: GOOD

    def call(alter=None, given=security):
        if alter:
            service.alter = alter
        soap = connect(given)
        with pytest.raises((AccessError, Unavailable)) as error:
            soap.call("Hent", {}) if request.param == "call" else list(soap.read("Hent", {}, SHAPE))
        return error.value

    return call


def altered(change):
    """The answer with its tree changed."""

    def alter(data):
        root = etree.fromstring(data)
        found = change(root)
        return etree.tostring(root if found is None else found)

    return alter


def body_of(root):
    return root.find(f"{{{SOAP}}}Body")


def evil_body(body):
    """The same Body with another content, the id and all."""
    other = copy.deepcopy(body)
    other[0].getparent().replace(other[0], etree.fromstring(EVIL))
    return other


def wrapped_in_header(root):
    """The signed Body moves to the header, where its id is still found; another takes its place."""
    body = body_of(root)
    evil = evil_body(body)
    del evil.attrib[ID]
    root.replace(body, evil)
    etree.SubElement(root[0], "wrapper").append(body)


def wrapped_with_the_same_id(root):
    body = body_of(root)
    root.replace(body, evil_body(body))
    etree.SubElement(root[0], "wrapper").append(body)


def wrapped_in_the_evil_body(root):
    body = body_of(root)
    evil = evil_body(body)
    del evil.attrib[ID]
    root.replace(body, evil)
    etree.SubElement(evil[0], "{urn:x}Sag").append(body)


def wrapped_in_the_signature(root):
    body = body_of(root)
    evil = evil_body(body)
    del evil.attrib[ID]
    root.replace(body, evil)
    etree.SubElement(root.find(f".//{{{DS}}}Signature"), f"{{{DS}}}Object").append(body)


def two_bodies(root):
    evil = evil_body(body_of(root))
    del evil.attrib[ID]
    root.insert(1, evil)


def a_body_after(root):
    evil = evil_body(body_of(root))
    del evil.attrib[ID]
    root.append(evil)


def a_second_header(root):
    root.insert(0, etree.Element(f"{{{SOAP}}}Header"))


def a_second_security(root):
    root[0].append(copy.deepcopy(root.find(f".//{{{WSSE}}}Security")))


def a_second_timestamp(root):
    timestamp = root.find(f".//{{{WSU}}}Timestamp")
    other = copy.deepcopy(timestamp)
    del other.attrib[ID]
    timestamp.addprevious(other)


def body_without_id(root):
    """The signed element is no longer there at all."""
    del body_of(root).attrib[ID]


def another_envelope(root):
    """The whole signed message inside another."""
    outer = etree.Element(f"{{{SOAP}}}Envelope", nsmap=root.nsmap)
    etree.SubElement(outer, f"{{{SOAP}}}Header").append(root)
    etree.SubElement(outer, f"{{{SOAP}}}Body").append(etree.fromstring(EVIL))
    return outer


def an_empty_second_security(root):
    etree.SubElement(root[0], f"{{{WSSE}}}Security")


def a_second_signature(root):
    signature = root.find(f".//{{{DS}}}Signature")
    other = copy.deepcopy(signature)
    signature.addprevious(other)


def the_token_elsewhere(root):
    """The certificate is still found by its id, and is still the signer's."""
    etree.SubElement(root[0], "wrapper").append(root.find(f".//{{{WSSE}}}BinarySecurityToken"))


SHAPES = [  # and with what reason a call and a stream are refused
    (wrapped_in_header, "signature-incomplete", "signature-incomplete"),
    (wrapped_with_the_same_id, "id-duplicated", "id-duplicated"),
    (wrapped_in_the_evil_body, "signature-incomplete", "signature-incomplete"),
    (wrapped_in_the_signature, "signature-invalid", "signature-invalid"),
    (two_bodies, "signature-invalid", "signature-invalid"),
    (a_body_after, "signature-invalid", "signature-invalid"),
    (a_second_header, "signature-invalid", "signature-invalid"),
    (a_second_security, "id-duplicated", "id-duplicated"),
    (an_empty_second_security, "signature-invalid", "signature-invalid"),
    (a_second_timestamp, "signature-invalid", "signature-invalid"),
    (a_second_signature, "signature-invalid", "signature-invalid"),
    (body_without_id, "signature-invalid", "signature-incomplete"),
    (the_token_elsewhere, "signature-invalid", "signature-invalid"),
    (another_envelope, "signature-missing", "signature-missing"),
]


@pytest.mark.parametrize(("shape", "of_call", "of_read"), SHAPES, ids=[shape.__name__ for shape, *_ in SHAPES])
def test_a_wrapped_signature_is_refused(caught, request, shape, of_call, of_read):
    error = caught(altered(shape))
    way = request.node.callspec.params["caught"]
    assert (AccessError, of_call if way == "call" else of_read) == (type(error), error.reason)


@pytest.mark.parametrize("between", [0, BATCH * 8])
@pytest.mark.parametrize("after", [0, BATCH * 8])
def test_an_id_that_stands_twice_is_refused_though_both_are_signed(caught, service, between, after):
    """Also where the first was read and freed long before the second comes."""
    one, plain = f'<p:Sag xmlns:wsu="{WSU}" wsu:Id="x"><p:Id>1</p:Id></p:Sag>', "<p:Sag><p:Id>1</p:Id></p:Sag>"
    records = one + plain * between + one + plain * after
    service.respond = lambda _opened: f'<p:HentResponse xmlns:p="urn:x">{records}</p:HentResponse>'.encode()
    assert "id-duplicated" == caught().reason


def test_an_answer_that_never_expires_is_old_all_the_same(caught, service, monkeypatch):
    monkeypatch.setattr(message, "LIFETIME", timedelta(days=1))
    created = datetime.now(UTC) - timedelta(minutes=32)
    service.seal = lambda body, opened: service.secured.answer(body, opened, created=created)
    assert "timestamp-expired" == caught().reason


def other(found):
    """The same with another first character."""
    return found[1] + (b"B" if found[2] == b"A" else b"A")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"good", b"evil"),
        (b"<p:Status>20</p:Status>", b"<p:Status>20</p:Status><p:Antal>1</p:Antal>"),
        (rb"<wsu:Created>20", b"<wsu:Created>19"),
        (rb"<wsu:Expires>20", b"<wsu:Expires>30"),
        (rb"(<wsa:Action[^>]*>)urn", rb"\1url"),
        (rb'(<wsse:BinarySecurityToken[^>]*)wsu:Id="id-', rb'\1wsu:Id="ie-'),
        (rb"(<ds:DigestValue>)(.)", other),
        (rb"(<ds:SignatureValue>)(.)", other),
        (rb"<ds:SignatureValue>", b"<ds:SignatureValue>!"),
        (rb"(<e:Body[^>]*>)", rb"\1 "),
    ],
)
def test_whatever_is_altered_is_found(caught, old, new):
    error = caught(lambda data: re.sub(old, new, data, count=1))
    assert (AccessError, "signature-invalid") == (type(error), error.reason)


def without(tag):
    def change(root):
        element = next(root.iter(tag))
        element.getparent().remove(element)

    return altered(change)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (f"{{{WSSE}}}Security", "signature-missing"),
        (f"{{{DS}}}Signature", "signature-missing"),
        (f"{{{WSU}}}Timestamp", "timestamp-missing"),
        (f"{{{WSSE}}}BinarySecurityToken", "signature-invalid"),
        (f"{{{DS}}}Reference", "signature-invalid"),
        (f"{{{DS}}}KeyInfo", "signature-invalid"),
        (f"{{{SOAP}}}Header", "signature-missing"),
    ],
)
def test_what_is_left_out_is_missed(caught, tag, reason):
    error = caught(without(tag))
    assert isinstance(error, AccessError)
    assert error.reason in (reason, "signature-incomplete")


def test_a_header_that_nobody_signed_is_not_believed(caught):
    """Another RelatesTo is put in beside the signed Body."""

    def change(root):
        etree.SubElement(root[0], f"{{{WSA}}}From").text = "urn:evil"

    assert "signature-incomplete" == caught(altered(change)).reason


def test_the_answer_to_another_request_is_refused(caught, service):
    """Replayed: signed by the right one, fresh, and the answer to something else."""
    kept = []

    def replay(data):
        kept.append(data)
        return kept[0]

    service.alter = replay
    caught(lambda data: kept.append(data) or b"")
    error = caught(lambda _data: kept[0])
    assert (Unavailable, "answer-unrelated") == (type(error), error.reason)


def test_an_answer_without_relatesto_is_refused(caught, service):
    service.seal = lambda body, _opened: service.secured.answer(body, None)
    assert "answer-unrelated" == caught().reason


def test_somebody_else_of_the_same_authority_is_refused(caught, service, certificates):
    """Every company has a certificate of the authority; only one of them is the system."""
    given = certificates.client("10103940", "En anden virksomhed")
    other = credentials(str(given.p12), given.password)
    service.seal = Secured(other, service.secured.trust).answer
    error = caught()
    assert (AccessError, "signer-untrusted") == (type(error), error.reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"(<ds:SignatureValue>)", rb"\1\xc3\xa6"),
        (rb"(<ds:DigestValue>)", rb"\1\xc3\xa6"),
        (rb"(<wsse:BinarySecurityToken[^>]*>)", rb"\1\xc3\xa6"),
        (rb"xmlns:wsse=", rb"xmlns:wssf="),
        (rb"(<p:Sag)>", rb'\1 xmlns="urn" xmlns:r="relative"><r:x/>'),
    ],
    ids=["value", "digest", "certificate", "undeclared", "relative"],
)
def test_what_cannot_even_be_read_is_refused_by_name(caught, old, new):
    assert caught(lambda data: re.sub(old, new, data, count=1)).reason


def test_the_right_name_from_another_authority_is_refused(caught, service, tmp_path):
    given = Certificates(tmp_path, keys="rsa").client("19435075", "KOMBIT A/S")
    service.seal = Secured(credentials(str(given.p12), given.password), service.secured.trust).answer
    assert "signer-untrusted" == caught().reason


def test_an_expired_signer_is_refused(caught, service, certificates):
    given = certificates.client("19435075", "KOMBIT A/S", expired=True)
    service.seal = Secured(credentials(str(given.p12), given.password), service.secured.trust).answer
    assert "signer-expired" == caught().reason


def test_a_revoked_signer_is_refused(caught, certificates, security, them):
    trust = _asking(certificates.crl(them.certificate), certificates)
    assert "signer-revoked" == caught(given=replace(security, trust=trust)).reason


def test_a_signer_whose_authority_was_revoked_is_refused(caught, certificates, security):
    trust = _asking(certificates.crl(certificates.issuing), certificates)
    assert "signer-revoked" == caught(given=replace(security, trust=trust)).reason


@pytest.mark.parametrize("gap", [{"left": timedelta(days=-1)}, {"root": False}], ids=["ran-out", "missing"])
def test_a_signer_whom_no_list_in_force_speaks_of_is_refused(caught, certificates, security, gap):
    trust = _asking(certificates.crl(**gap), certificates)
    assert "revocation-unknown" == caught(given=replace(security, trust=trust)).reason


def test_a_signer_whom_no_list_speaks_against_is_trusted(certificates, connect, security):
    trust = _asking(certificates.crl(form="der"), certificates)
    assert "20" == connect(replace(security, trust=trust)).call("Hent", {})["Status"]


def _asking(crl, certificates):
    return Trust.read(str(certificates.ca), organisation="19435075", crl=str(crl))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (RSA_SHA256, f"{DS}rsa-sha1"),
        (RSA_SHA256, f"{DS}hmac-sha1"),
        (RSA_SHA256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        (SHA256, f"{DS}sha1"),
        (f'Transform Algorithm="{EXCLUSIVE}"', 'Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"'),
        (f'Transform Algorithm="{EXCLUSIVE}"', 'Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"'),
        (f'Transform Algorithm="{EXCLUSIVE}"', f'Transform Algorithm="{EXCLUSIVE}WithComments"'),
        (f'Method Algorithm="{EXCLUSIVE}"', 'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"'),
    ],
)
def test_other_algorithms_are_refused_before_anything_is_computed(caught, old, new):
    error = caught(lambda data: data.replace(old.encode(), new.encode()))
    assert isinstance(error, AccessError)
    assert error.reason in ("algorithm-refused", "signature-incomplete")


def test_another_transform_is_refused_though_the_right_key_signed_it(caught, service, monkeypatch):
    def enveloped(element, _expand):
        return Reference.of(message._identify(element), [canonical(element)], transforms=(ENVELOPED, EXCLUSIVE))

    def answer(body, opened):
        with monkeypatch.context() as patched:
            patched.setattr(message, "_reference", enveloped)
            return service.secured.answer(body, opened)

    service.seal = answer
    assert caught().reason in ("algorithm-refused", "signature-incomplete")


@pytest.mark.parametrize("uri", ["", "#", "file:///etc/hostname", "http://127.0.0.1:9/", "#xpointer(/)"])
def test_a_reference_to_anything_but_an_id_is_refused(caught, uri):
    error = caught(lambda data: re.sub(rb'Reference URI="#[^"]*"', f'Reference URI="{uri}"'.encode(), data))
    assert isinstance(error, AccessError)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE e [<!ATTLIST e:Body wsu:Id ID #IMPLIED>]>",
        '<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_document_type_is_refused(caught, doctype):
    error = caught(lambda data: data.replace(b"<e:Envelope", doctype.encode() + b"<e:Envelope", 1))
    assert (Unavailable, "xml-doctype") == (type(error), error.reason)


def test_an_entity_in_the_signed_body_is_refused(caught):
    doctype = b'<!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    error = caught(lambda data: data.replace(b"<e:Envelope", doctype + b"<e:Envelope", 1).replace(b"good", b"&a;"))
    assert (Unavailable, "xml-doctype") == (type(error), error.reason)


@pytest.mark.parametrize("size", [1, 300, -20])
def test_an_answer_that_ends_early_is_unavailable(caught, size):
    assert isinstance(caught(lambda data: data[:size]), Unavailable)


def test_a_comment_that_splits_a_value_changes_nothing(service, connect, security):
    """Canonical XML leaves comments out, so the signature holds; what is read is the whole value."""
    service.respond = lambda _opened: GOOD
    service.alter = lambda data: data.replace(b"good", b"go<!-- -->od")
    assert [{"Id": "good", "Fil": None}] == connect(security).call("Hent", {})["Sag"]
    (slices,) = connect(security).read("Hent", {}, SHAPE)
    assert [b"<p:Sag><p:Id>good</p:Id></p:Sag>"] == slices.raws


def test_no_error_quotes_what_it_refuses(caught):
    error = caught(lambda data: data.replace(b"good", b"0101501234"))
    assert "0101501234" not in str(error)
    assert xml.XSI not in str(error)
