"""Calls that are signed, and answers that are verified, over real HTTP."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from samspil import xml
from samspil.certificate import credentials
from samspil.cut import RecordShape
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.testing.certificates import Certificates
from samspil.wssecurity import Trust
from samspil.wssecurity.canonical import canonical
from samspil.wssecurity.envelope import Envelope
from samspil.wssecurity.message import Address, seal
from samspil.wssecurity.names import DS, WSA, WSSE, WSU
from samspil.wssecurity.streaming import BATCH, StreamedBody
from samspil.wssecurity.verification import verify

SHAPE = RecordShape("urn:x", "Sag", "Id", "p")


def answer(inner: str) -> bytes:
    return f'<p:HentResponse xmlns:p="urn:x"><p:Status>20</p:Status>{inner}</p:HentResponse>'.encode()


def signed_names(data: bytes) -> list[str]:
    root = xml.parse(data)
    ids = {element.get(f"{{{WSU}}}Id"): xml.local(element) for element in root.iter()}
    return sorted(ids[one.get("URI")[1:]] for one in root.iter(f"{{{DS}}}Reference"))


def test_a_call_signs_all_that_must_be_and_its_answer_is_read(service, connect, security):
    service.respond = lambda _: answer("<p:Sag><p:Id>æ &lt;</p:Id></p:Sag>")
    found = connect(security).call("Hent", {"Id": "ø & <å>"})
    assert [{"Id": "æ <", "Fil": None}] == found["Sag"]
    (data,) = service.calls
    expected = ["Action", "BinarySecurityToken", "Body", "MessageID", "ReplyTo", "Timestamp", "To"]
    assert expected == signed_names(data)
    root = xml.parse(data)
    assert ("urn:x/Hent", service.url) == (xml.text(root, "Action"), xml.text(root, "To"))
    assert "ø & <å>" == service.opened[0].request.findtext("{urn:x}Id")


def test_the_timestamp_has_milliseconds_and_z(service, connect, security):
    connect(security).call("Hent", {})
    root = xml.parse(service.calls[0])
    for name in ("Created", "Expires"):
        text = xml.text(root, name)
        assert (24, ".", "Z") == (len(text), text[19], text[23])


def test_records_put_last_as_bytes_are_inside_the_signed_body(service, connect, security):
    records = [f"<p:Sag><p:Id>{number}</p:Id></p:Sag>".encode() for number in range(3)]
    connect(security).call("Hent", {"Id": "a"}, records=records, prefixes=SHAPE.prefixes)
    assert ["0", "1", "2"] == [one.text for one in service.opened[0].request.iterfind("{urn:x}Sag/{urn:x}Id")]


def test_a_prefix_that_stands_in_values_only_is_signed_with_its_meaning(service, us):
    data = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body><a xsi:type="xs:string">b</a></e:Body></e:Envelope>"""
    sealed = seal(data, us).data
    assert b'PrefixList="xs"' in sealed
    service.secured.open(sealed)
    with pytest.raises(Refused) as caught:
        service.secured.open(sealed.replace(b'xmlns:xs="http://www.w3.org/2001/XMLSchema"', b'xmlns:xs="urn:other"'))
    assert "signature-invalid" == caught.value.reason


def test_without_addressing_nothing_is_asked_of_the_answer_but_its_signature(service, connect, security):
    connect(replace(security, addressing=False)).call("Hent", {})
    assert ["BinarySecurityToken", "Body", "Timestamp"] == signed_names(service.calls[0])


def test_the_framework_header_and_the_logical_address_are_sent(service, connect, security):
    connect(replace(security, framework=True, to="urn:service")).call("Hent", {})
    root = xml.parse(service.calls[0])
    assert "Framework" in signed_names(service.calls[0])
    assert "urn:service" == root.findtext(f".//{{{WSA}}}To")


def test_an_answer_nobody_signs_is_taken_only_if_the_settings_say_so(service, connect, security):
    service.seal = lambda body, _: (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>' + body + b"</e:Body></e:Envelope>"
    )
    with pytest.raises(AccessError) as caught:
        connect(security).call("Hent", {})
    assert "signature-missing" == caught.value.reason
    assert "20" == connect(replace(security, trust=None)).call("Hent", {})["Status"]


@pytest.mark.parametrize("count", [0, 1, 2, BATCH, BATCH + 1, BATCH * 3 + 7])
@pytest.mark.parametrize("space", ["", "\n  "])
def test_a_large_answer_is_verified_as_it_streams(service, connect, security, count, space):
    records = "".join(
        f"{space}<p:Sag><p:Id>{number}</p:Id>{'<!-- c -->' if number == 3 else ''}</p:Sag>" for number in range(count)
    )
    service.respond = lambda _: answer(f"{records}{space}<p:Antal>{count}</p:Antal>{space}")
    reading = connect(security).read("Hent", {}, SHAPE)
    slices = list(reading)
    assert [str(number).encode() for number in range(count)] == [key for one in slices for key in one.keys]
    assert (str(count), True) == (reading.value("Antal"), reading.whole)


def test_a_streamed_record_has_the_bytes_that_were_signed(service, connect, security):
    service.respond = lambda _: (
        b'<p:HentResponse xmlns:p="urn:x"><p:Sag ><p:Id>1</p:Id><p:Fil/></p:Sag></p:HentResponse>'
    )
    (slices,) = connect(security).read("Hent", {}, SHAPE)
    assert [b"<p:Sag><p:Id>1</p:Id><p:Fil></p:Fil></p:Sag>"] == slices.raws


@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        ("Envelope xmlns='{e}'", "Body"),
        ("e:Envelope xmlns:e='{e}' xmlns='urn:x' xmlns:other='urn:y' other:a='1' e:b='>' c='2'", "e:Body"),
        ("e:Envelope xmlns:e='{e}' xmlns:p='urn:other'", "e:Body xmlns:wsu='urn:z' xmlns:p='urn:x' p:a='<'"),
        ("e:Envelope xmlns:e='{e}' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'", "e:Body xsi:type='e:x'"),
    ],
)
def test_a_stream_is_verified_however_its_envelope_declares(them, trust, envelope, body):
    """The same digest as of a tree, whatever is in scope around the records."""
    records = "".join(f"<p:Sag><p:Id>{number}</p:Id></p:Sag>\n" for number in range(BATCH * 2 + 1))
    head = envelope.format(e="http://schemas.xmlsoap.org/soap/envelope/")
    ends = [name.split(maxsplit=1)[0] for name in (body, envelope)]
    data = (
        f"<{head}><{body.replace('<', '&lt;')}>\n<p:HentResponse xmlns:p='urn:x'>{records}"
        f"<other:z xmlns:other='urn:y' other:b='2'/></p:HentResponse>\n"
        f"</{ends[0]}></{ends[1]}>"
    )
    sealed = seal(data.encode(), them).data
    stream = StreamedBody(SHAPE.tag)
    root = stream.read(sealed[at : at + 10_000] for at in range(0, len(sealed), 10_000))
    verify(Envelope(root), trust, skew=timedelta(), body=stream.holds)
    expected = canonical(xml.parse(sealed)[-1])
    assert expected == b"".join(stream.chunks()).partition(b">")[2].removesuffix(b"</signed:Envelope>")


def test_an_altered_record_of_a_large_answer_lets_none_through(service, connect, security):
    records = "".join(f"<p:Sag><p:Id>{number}</p:Id></p:Sag>" for number in range(BATCH * 4))
    service.respond = lambda _: answer(records)
    number = random.Random(1).randrange(BATCH * 4)
    service.alter = lambda data: data.replace(b"<p:Id>%d</p:Id>" % number, b"<p:Id>0%d</p:Id>" % number)
    taken = []
    with pytest.raises(AccessError) as caught:
        taken.extend(connect(security).read("Hent", {}, SHAPE))
    assert ("signature-invalid", []) == (caught.value.reason, taken)


def test_a_record_outside_the_signed_body_of_a_large_answer_is_not_read(service, connect, security):
    service.respond = lambda _: answer("<p:Sag><p:Id>1</p:Id></p:Sag>")
    smuggled = b'<p:Liste xmlns:p="urn:x"><p:Sag><p:Id>2</p:Id></p:Sag></p:Liste></e:Header>'
    service.alter = lambda data: data.replace(b"</e:Header>", smuggled)
    assert [[b"1"]] == [slices.keys for slices in connect(security).read("Hent", {}, SHAPE)]


FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    '<faultcode xmlns:w="{}">{}</faultcode><faultstring>010150-1234</faultstring></e:Fault></e:Body></e:Envelope>'
)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (FAULT.format(WSSE, "w:FailedCheck"), AccessError, "security-refused"),
        (FAULT.format("urn:other", "w:FailedCheck"), Unavailable, "fault-unsigned"),
        (FAULT.format(WSSE, "e:Client"), Unavailable, "fault-unsigned"),
    ],
)
@pytest.mark.parametrize("way", ["call", "read"])
def test_a_fault_that_nobody_signed_never_refuses_a_record(service, connect, security, fault, kind, reason, way):
    service.seal = lambda _body, _opened: fault.encode()
    soap = connect(security)
    with pytest.raises(kind) as caught:
        soap.call("Hent", {}) if way == "call" else list(soap.read("Hent", {}, SHAPE))
    assert reason == caught.value.reason
    assert "010150" not in str(caught.value)


@pytest.mark.parametrize("way", ["call", "read"])
def test_a_signed_fault_is_what_its_code_says(service, connect, security, way):
    service.respond = lambda _: (
        b"""<e:Fault xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">
      <faultcode>e:Client</faultcode><faultstring>x</faultstring></e:Fault>"""
    )
    soap = connect(security)
    with pytest.raises(Refused) as caught:
        soap.call("Hent", {}) if way == "call" else list(soap.read("Hent", {}, SHAPE))
    assert "fault-client" == caught.value.reason


@pytest.mark.parametrize(
    "inner", ["<p:Ukendt/>", "<p:Antal>1<p:Id/></p:Antal>", "<p:Antal>1</p:Antal><p:Antal>2</p:Antal>"]
)
@pytest.mark.parametrize("way", ["call", "read"])
def test_what_is_not_in_the_contract_is_reported_though_it_is_signed(service, connect, security, inner, way):
    service.respond = lambda _: answer(inner)
    soap = connect(security)
    with pytest.raises(Unavailable) as caught:
        soap.call("Hent", {}) if way == "call" else list(soap.read("Hent", {}, SHAPE))
    assert "answer-invalid" == caught.value.reason


def test_our_expired_certificate_is_an_access_error_before_any_call(service, connect, security, certificates):
    given = certificates.client("29189668", "Randers Kommune", expired=True)
    with pytest.raises(AccessError) as caught:
        connect(replace(security, identity=credentials(str(given.pem), ""))).call("Hent", {})
    assert ("certificate-expired", []) == (caught.value.reason, service.calls)


def test_a_key_that_is_not_rsa_is_a_settings_error(service, connect, security, tmp_path):
    given = Certificates(tmp_path).client("29189668", "Randers Kommune")
    with pytest.raises(SettingsError):
        connect(replace(security, identity=credentials(str(given.pem), ""))).call("Hent", {})


def test_soap_1_2_is_signed_in_its_own_namespace(service, us):
    data = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><a/></s:Body></s:Envelope>'
    sealed = seal(data, us, address=Address("urn:a"))
    assert sealed.id == service.secured.open(sealed.data).verified.message_id
    security = xml.parse(sealed.data).find(f".//{{{WSSE}}}Security")
    assert "1" == security.get("{http://www.w3.org/2003/05/soap-envelope}mustUnderstand")


def test_a_trust_that_trusts_everybody_is_a_settings_error(certificates):
    with pytest.raises(SettingsError):
        Trust.read(str(certificates.ca))


def test_an_answer_is_good_for_as_long_as_it_says_and_the_clocks_may_differ(service, connect, security, them):
    def late(body, opened, age):
        return service.secured.answer(body, opened, created=datetime.now(UTC) - age)

    service.seal = lambda body, opened: late(body, opened, timedelta(minutes=5, seconds=30))
    connect(security).call("Hent", {})
    service.seal = lambda body, opened: late(body, opened, timedelta(minutes=6, seconds=30))
    with pytest.raises(Unavailable) as caught:
        connect(security).call("Hent", {})
    assert "timestamp-expired" == caught.value.reason
    service.seal = lambda body, opened: late(body, opened, timedelta(minutes=-2))
    with pytest.raises(Unavailable):
        connect(security).call("Hent", {})


def test_nothing_of_a_message_is_logged(service, connect, security, caplog):
    with caplog.at_level("DEBUG"):
        connect(security).call("Hent", {"Id": "0101501234"})
    assert "0101501234" not in caplog.text


def test_a_signed_tree_is_never_altered_by_writing_it(us):
    data = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a/>\n</e:Body></e:Envelope>'
    sealed = seal(data, us).data
    assert sealed == etree.tostring(xml.parse(sealed), xml_declaration=True, encoding="utf-8")
