"""Messages with attachments, over real HTTP and against what is wrong with them."""

from __future__ import annotations

import base64
import email
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from lxml import etree

from samspil import mtom, xml
from samspil.certificate import credentials
from samspil.cut import RecordShape
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.http import HttpSettings, Session
from samspil.mtom import Attachment, Placed
from samspil.soap import Codes, Soap
from samspil.testing.certificates import Certificates
from samspil.testing.secured import Secured
from samspil.testing.traced import traced
from samspil.wssecurity import Security, Trust

WSDL = Path(__file__).parent / "wssecurity" / "service.wsdl"
PDF = b"%PDF-1.7 \r\n--c\r\n\x00\xff" * 7
TYPE = 'multipart/related; type="application/xop+xml"; start="<r@x>"; boundary="b"'
INCLUDE = '<p:Sag><p:Id>{}</p:Id><p:Fil><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:{}"/></p:Fil></p:Sag>'


def envelope(inner: str) -> bytes:
    return (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><p:HentResponse xmlns:p="urn:x">'
        f"<p:Status>20</p:Status>{inner}</p:HentResponse></e:Body></e:Envelope>"
    ).encode()


def part(content: bytes, name: str, kind: str = "application/pdf", *more: str) -> bytes:
    head = "\r\n".join([f"Content-Type: {kind}", f"Content-ID: <{name}>", *more])
    return b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def message(inner: str, *parts: bytes) -> bytes:
    return part(envelope(inner), "r@x", 'application/xop+xml; type="text/xml"') + b"".join(parts) + b"--b--\r\n"


class Server:
    """Answers every call with ``answer`` (an iterable of bytes, or a function of the request) and keeps the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes]] = []
        self.content_type, self.answer = TYPE, b""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                server.calls.append((self.headers["Content-Type"], data))
                answer = server.answer(data) if callable(server.answer) else server.answer
                self.send_response(200)
                self.send_header("Content-Type", server.content_type)
                self.end_headers()
                for chunk in [answer] if isinstance(answer, bytes) else answer:
                    self.wfile.write(chunk)

            def log_message(self, *_: object) -> None:
                """Nothing on the test's output."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/s"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.thread.join()
    server.http.server_close()


@pytest.fixture
def connect(server):
    sessions = []

    def soap(security=None):
        sessions.append(Session("test", HttpSettings(url=server.url), passed=(500,)))
        codes = Codes(faults={}, status="Status", passed=frozenset({"20"}))
        return Soap(sessions[-1], WSDL, url=server.url, system="test", codes=codes, security=security)

    yield soap
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Our security, and the service's."""
    certificates = Certificates(tmp_path_factory.mktemp("rsa"), keys="rsa")
    ours, theirs = (certificates.client(cvr, "x") for cvr in ("29189668", "19435075"))
    ca = str(certificates.ca)
    us, them = (credentials(str(given.p12), given.password) for given in (ours, theirs))
    return Security(us, Trust.read(ca, organisation="19435075")), Secured(them, Trust.read(ca, organisation="29189668"))


def test_binary_content_is_base64_text_whichever_way_it_came(server, connect):
    inline = f"<p:Sag><p:Id>2</p:Id><p:Fil>{base64.b64encode(PDF).decode()}</p:Fil></p:Sag>"
    server.answer = message(INCLUDE.format(1, "a%40x") + inline, part(PDF, "a@x"))
    found = connect().call("Hent", {})
    assert [PDF, PDF] == [base64.b64decode(one["Fil"]) for one in found["Sag"]]


def test_streamed_content_is_an_attachment_with_its_type(server, connect):
    server.answer = message(INCLUDE.format(1, "a@x"), part(PDF, "a@x", "image/png"))
    (record,) = connect().call("Hent", {}, streamed=True)["Sag"]
    assert (PDF, len(PDF), "image/png") == (record["Fil"].read(), record["Fil"].size, record["Fil"].content_type)


def test_the_xml_need_not_come_first_and_text_may_refer_to_a_part(server, connect):
    server.answer = (
        b"preamble\r\n"
        + part(PDF, "a@x")
        + part(envelope("<p:Sag><p:Id>1</p:Id><p:Fil>cid:a@x</p:Fil></p:Sag>"), "r@x", "text/xml")
        + b"--b--\r\nepilogue"
    )
    assert PDF == base64.b64decode(connect().call("Hent", {})["Sag"][0]["Fil"])


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        (TYPE, message(INCLUDE.format(1, "b@x"), part(PDF, "a@x")), "attachment-missing"),
        (TYPE, message("", part(PDF, "a@x")), "attachment-unused"),
        (TYPE, message(INCLUDE.format(1, "a@x"), part(PDF, "a@x"), part(b"", "a@x")), "multipart-invalid"),
        (TYPE, message(INCLUDE.format(1, "a@x"), part(PDF, "a@x"))[:-10], "multipart-truncated"),
        (TYPE, b"", "multipart-truncated"),
        (TYPE, b"--b--\r\n", "multipart-invalid"),
        (TYPE, part(PDF, "r@x") + b"--b--\r\n", "multipart-invalid"),
        (TYPE, b"--bb\r\n\r\n", "multipart-invalid"),
        (TYPE, b"--b\r\nX: " + b"x" * 20_000 + b"\r\n\r\n--b--", "multipart-size"),
        (TYPE, b"--b\r\nContent-ID: <1>\r\n\r\n", "multipart-truncated"),
        (TYPE, b"".join(part(b"", str(number)) for number in range(1001)) + b"--b--\r\n", "multipart-size"),
        (
            TYPE,
            message("", part(PDF, "a@x", "a/b", "Content-Transfer-Encoding: quoted-printable")),
            "multipart-invalid",
        ),
        (TYPE, message(INCLUDE.format(1, "a@x").replace("cid:", "http://127.0.0.1:9/")), "multipart-invalid"),
        (TYPE, message(INCLUDE.format(1, "a@x").replace("<i:", "x<i:"), part(PDF, "a@x")), "multipart-invalid"),
        (TYPE, message(INCLUDE.format(1, "a@x").replace("/>", "/>tekst", 1), part(PDF, "a@x")), "multipart-invalid"),
        (
            TYPE,
            message("<x/>" + INCLUDE.format(1, "a@x").replace("<i:", "<y/><i:"), part(PDF, "a@x")),
            "multipart-invalid",
        ),
        (TYPE, message("", part(PDF, "a@x", "a/b", "Content-Transfer-Encoding: \u00e6")), "multipart-invalid"),
        ("multipart/related", b"", "multipart-invalid"),
        ("multipart/mixed; boundary=b", message(""), "multipart-invalid"),
        (TYPE, message("").replace(b"<e:Envelope", b"<!DOCTYPE x []><e:Envelope"), "xml-doctype"),
        (TYPE, message("<"), "xml-malformed"),
    ],
)
def test_a_message_that_is_none_is_unavailable(server, connect, content_type, body, reason):
    server.content_type, server.answer = content_type, body
    with pytest.raises(Unavailable) as caught:
        connect().call("Hent", {})
    assert reason == caught.value.reason


def test_records_come_with_their_attachments_in_place(server, connect):
    inner = INCLUDE.format(1, "a@x") + INCLUDE.format(2, "b%40x") + "<p:Sag><p:Id>3</p:Id><p:Fil>AA==</p:Fil></p:Sag>"
    shape = RecordShape("urn:x", "Sag", "Id", "p")
    for more in ("", "<!-- c -->"):
        server.answer = message(inner + more, part(PDF, "a@x"), part(PDF * 9, "b@x"))
        raws = [raw for part in connect().read("Hent", {}, shape) for raw in part.raws]
        fils = [xml.parse(xml.wrap([raw], shape.prefixes))[0][1].text for raw in raws]
        assert [PDF, PDF * 9, b"\0"] == [base64.b64decode(fil or "") for fil in fils]


def test_what_only_looks_like_a_reference_is_text(server, connect):
    text = '<![CDATA[<i:Include href="cid:a@x"/>]]>'
    server.answer = message(INCLUDE.format(text, "a@x"), part(PDF, "a@x"))
    (slices,) = connect().read("Hent", {}, RecordShape("urn:x", "Sag", "Id", "p"))
    assert [b'&lt;i:Include href="cid:a@x"/&gt;'] == [xml.escaped(key.decode()).encode() for key in slices.keys]


@pytest.mark.parametrize("parts", [[], [part(PDF, "a@x"), part(PDF, "b@x")]])
def test_records_whose_attachments_do_not_add_up_are_unavailable(server, connect, parts):
    server.answer = message(INCLUDE.format(1, "a@x"), *parts)
    with pytest.raises(Unavailable, match="cannot be taken apart"):
        list(connect().read("Hent", {}, RecordShape("urn:x", "Sag", "Id", "p")))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_it_does_not_matter_how_a_message_is_cut_on_the_way(step):
    data = message(INCLUDE.format(1, "a@x"), part(PDF, "a@x"))
    found = mtom.parse((data[at : at + step] for at in range(0, len(data), step)), TYPE)
    assert PDF == found.attachments["a@x"].read()


def test_a_request_with_attachments_is_read_by_another_parser(server, connect, tmp_path):
    (tmp_path / "x.bin").write_bytes(PDF * 1000)
    server.content_type, server.answer = "text/xml", envelope("")
    records = [{"Id": "2", "Fil": Attachment(tmp_path / "x.bin", "application/pdf")}]
    connect().call("Hent", {"Id": "1", "Fil": Attachment(PDF), "Sag": records})
    ((content_type, data),) = server.calls
    parsed = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data)
    root, *parts = parsed.get_payload()
    assert ("application/xop+xml", "text/xml") == (root.get_content_type(), root.get_param("type"))
    includes = list(xml.parse(root.get_payload(decode=True)).iter(mtom.INCLUDE))
    assert [f"cid:{one['Content-ID'][1:-1]}" for one in parts] == [one.get("href") for one in includes]
    assert [PDF, PDF * 1000] == [one.get_payload(decode=True) for one in parts]
    assert ["application/octet-stream", "application/pdf"] == [one.get_content_type() for one in parts]


def test_an_attachment_where_the_contract_has_text_is_a_settings_error(server, connect):
    with pytest.raises(SettingsError):
        connect().call("Hent", {"Id": Attachment(PDF)})
    assert [] == server.calls


def test_a_large_attachment_is_not_held_in_memory(server, connect):
    size, piece = 64 << 20, os.urandom(1 << 20)
    head, _, tail = message(INCLUDE.format(1, "a@x"), part(b"CONTENT", "a@x")).partition(b"CONTENT")
    server.answer = lambda _: (chunk for chunks in ([head], [piece] * 64, [tail]) for chunk in chunks)
    service = connect()
    with traced() as memory:
        (record,) = service.call("Hent", {}, streamed=True)["Sag"]
        peak = memory.peak
    assert size == record["Fil"].size
    assert peak < size / 4
    assert all(chunk in piece * 2 for chunk in record["Fil"].chunks())


def test_a_signature_covers_the_attachments_of_a_request_and_of_its_answer(server, connect, pair):
    security, secured = pair
    asked = []

    def answer(data):
        asked.append(received := mtom.parse([data], server.calls[-1][0]))
        root = xml.parse(received.root)
        placed = received.place(root)
        opened = secured.open(etree.tostring(root), placed.expand)
        out = Placed()
        inner = f"<p:Status>20</p:Status><p:Sag><p:Id>1</p:Id><p:Fil>{out.put(Attachment(PDF))}</p:Fil></p:Sag>"
        body = f'<p:HentResponse xmlns:p="urn:x">{inner}</p:HentResponse>'.encode()
        made = out.compose(secured.answer(body, opened, expand=out.expand), "text/xml")
        server.content_type = made.content_type
        return b"".join(made)

    server.answer = answer
    found = connect(security).call("Hent", {"Fil": Attachment(PDF * 3)})
    assert PDF == base64.b64decode(found["Sag"][0]["Fil"])
    assert [PDF * 3] == [one.read() for one in asked[0].attachments.values()]
    server.answer = lambda data: answer(data).replace(PDF, PDF.replace(b"1.7", b"1.8"))
    with pytest.raises(AccessError) as caught:
        connect(security).call("Hent", {"Fil": Attachment(PDF * 3)})
    assert "signature-invalid" == caught.value.reason


@pytest.mark.parametrize("altered", [False, True])
def test_a_large_answer_with_attachments_is_verified_as_it_streams(server, connect, pair, altered):
    security, secured = pair

    def answer(data):
        out = Placed()
        records = "".join(
            f"<p:Sag><p:Id>{number}</p:Id><p:Fil>{out.put(Attachment(PDF))}</p:Fil></p:Sag>" for number in (1, 2)
        )
        body = f'<p:HentResponse xmlns:p="urn:x"><p:Status>20</p:Status>{records}</p:HentResponse>'.encode()
        made = out.compose(secured.answer(body, secured.open(data), expand=out.expand), "text/xml")
        server.content_type = made.content_type
        return b"".join(made).replace(PDF, PDF.replace(b"1.7", b"1.8") if altered else PDF)

    server.answer = answer
    reading = connect(security).read("Hent", {}, RecordShape("urn:x", "Sag", "Id", "p"))
    if altered:
        with pytest.raises(AccessError) as caught:
            list(reading)
        assert "signature-invalid" == caught.value.reason
    else:
        raws = [raw for slices in reading for raw in slices.raws]
        assert [PDF, PDF] == [
            base64.b64decode(xml.text(xml.parse(xml.wrap([raw], {"p": "urn:x"})), "Fil")) for raw in raws
        ]


def test_content_cannot_be_mistaken_for_an_attachment():
    placed = Placed()
    text = placed.put(Attachment(PDF))
    with pytest.raises(Refused):
        placed.compose(f"<a>{text}</a><b>{text}</b>".encode(), "text/xml")
    assert text != Placed().put(Attachment(PDF))
