"""SOAP over real HTTP: what is sent, what is read, and every way it can go wrong as a typed error."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stamina

from samspil import soap, xml
from samspil.cut import RecordShape
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.http import HttpSettings, Session
from samspil.soap import Codes, Soap

SHAPE = RecordShape("urn:x", "Sag", "Id", "p")
XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="urn:x" targetNamespace="urn:x"
  elementFormDefault="qualified">
  <xs:element name="Hoved"><xs:complexType><xs:sequence><xs:element name="Kode" type="xs:string"/></xs:sequence>
  </xs:complexType></xs:element>
  <xs:element name="Sag"><xs:complexType><xs:sequence>
    <xs:element name="Id" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="HentRequest"><xs:complexType><xs:sequence>
    <xs:element name="Side" type="xs:int" minOccurs="0"/>
    <xs:element ref="p:Sag" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="HentResponse"><xs:complexType><xs:sequence>
    <xs:element name="Status" type="xs:string" minOccurs="0"/>
    <xs:element name="Antal" type="xs:int" minOccurs="0"/>
    <xs:element ref="p:Sag" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
WSDL = """<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="urn:x" targetNamespace="urn:x">
  <w:types><xs:schema><xs:import namespace="urn:x" schemaLocation="LOCATION"/></xs:schema></w:types>
  <w:message name="Hoved"><w:part name="hoved" element="p:Hoved"/></w:message>
  <w:message name="In"><w:part name="parameters" element="p:HentRequest"/></w:message>
  <w:message name="Out"><w:part name="parameters" element="p:HentResponse"/></w:message>
  <w:portType name="Port"><w:operation name="Hent"><w:input message="p:In"/><w:output message="p:Out"/></w:operation>
  </w:portType>
  <w:binding name="Binding" type="p:Port"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="Hent"><s:operation soapAction="urn:x/Hent"/>
      <w:input><s:header message="p:Hoved" part="hoved" use="literal"/><s:body use="literal"/></w:input>
      <w:output><s:body use="literal"/></w:output></w:operation></w:binding>
  <w:service name="Service"><w:port name="Port" binding="p:Binding"><s:address location="http://invalid/"/></w:port>
  </w:service></w:definitions>"""
CODES = Codes(
    faults={"ADGANG": AccessError, "TRAVL": Unavailable, "1014": Refused, "50": Unavailable},
    elements=("ErrorCode", "Kode"),
    status="Status",
    passed=frozenset({"20"}),
)


def envelope(body: str) -> bytes:
    return f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def answer(inner: str) -> bytes:
    return envelope(f'<p:HentResponse xmlns:p="urn:x">{inner}</p:HentResponse>')


def fault(role: str, detail: str = "") -> bytes:
    return envelope(
        f"<e:Fault><faultcode>e:{role}</faultcode><faultstring>010150-1234 afvist</faultstring>"
        f"<detail>{detail}</detail></e:Fault>"
    )


class Server:
    """Answers each call with the next of ``answers`` (status, body, headers) and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, answered, headers = server.answers.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(answered)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answered)

            def log_message(self, *_: object) -> None:
                """Nothing on the test's output."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def give(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.thread.join()
    server.http.server_close()


@pytest.fixture
def wsdl(tmp_path):
    (tmp_path / "x.xsd").write_text(XSD)
    (tmp_path / "x.wsdl").write_text(WSDL.replace("LOCATION", "x.xsd"))
    return tmp_path / "x.wsdl"


@pytest.fixture
def service(server, wsdl):
    url = f"http://127.0.0.1:{server.http.server_port}/s"
    session = Session("test", HttpSettings(url=url), passed=(500,))
    yield Soap(session, wsdl, url=url, system="test", codes=CODES, attempts=3)
    session.close()


def test_a_call_sends_headers_values_and_records_and_reads_the_answer(server, service):
    server.give(answer("<p:Status>20</p:Status><p:Sag><p:Id>æ</p:Id></p:Sag>"))
    found = service.call(
        "Hent",
        {"Side": 2},
        headers={"{urn:x}Hoved": {"Kode": "<&"}},
        records=[b"<p:Sag><p:Id>1</p:Id></p:Sag>", b"<p:Sag><p:Id>2</p:Id></p:Sag>"],
        prefixes=SHAPE.prefixes,
        http_headers={"x-requestId": "r1"},
    )
    assert {"Status": "20", "Antal": None, "Sag": [{"Id": "æ"}]} == found
    ((headers, body),) = server.calls
    assert ('"urn:x/Hent"', "text/xml; charset=utf-8", "r1") == (
        headers["soapaction"],
        headers["content-type"],
        headers["x-requestid"],
    )
    root = xml.parse(body)
    assert ["1", "2"] == [one.text for one in root.iter("{urn:x}Id")]
    assert "<&" == xml.text(root, "Kode")
    assert ["Header", "Body"] == [xml.local(one) for one in root]
    assert ["Side", "Sag", "Sag"] == [xml.local(one) for one in root[1][0]]


@pytest.mark.parametrize("values", [{"Ukendt": "0101501234"}, {"Sag": [{"Ukendt": "0101501234"}]}])
def test_a_request_that_does_not_fit_the_wsdl_is_a_settings_error(server, service, values):
    with pytest.raises(SettingsError) as caught:
        service.call("Hent", values)
    assert "0101501234" not in str(caught.value)
    assert [] == server.calls


def test_an_operation_the_wsdl_has_not_is_a_settings_error(service):
    with pytest.raises(SettingsError):
        service.call("Slet", {})


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (fault("Server", "<x><ErrorCode>ADGANG</ErrorCode></x>"), AccessError, "fault-adgang"),
        (fault("Client", "<Kode>TRAVL</Kode>"), Unavailable, "fault-travl"),
        (fault("Server", "<Kode>1014</Kode>"), Refused, "fault-1014"),
        (fault("Server", "<Kode>1015</Kode>"), Unavailable, "fault-1015"),
        (fault("Client", "<Kode>1015</Kode>"), Refused, "fault-1015"),
        (fault("Server.Busy"), Unavailable, "fault-server"),
        (fault("Client"), Refused, "fault-client"),
        (fault("Client", "<Kode>010150-1234</Kode>"), Refused, "fault-unknown"),
        (answer("<p:Status>50</p:Status>"), Unavailable, "fault-50"),
        (answer("<p:Status>44</p:Status>"), Refused, "fault-44"),
    ],
)
@pytest.mark.parametrize("way", ["call", "read"])
def test_faults_and_business_errors_are_typed_by_their_code(server, service, status, body, kind, reason, way):
    server.give(body, status)
    with pytest.raises(kind) as caught:
        service.call("Hent", {}) if way == "call" else list(service.read("Hent", {}, SHAPE))
    assert reason == caught.value.reason
    assert "010150" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason"),
    [
        (401, {}, AccessError, "status-401"),
        (403, {}, AccessError, "status-403"),
        (404, {}, SettingsError, "settings"),
        (302, {"Location": "http://127.0.0.1:9/"}, SettingsError, "settings"),
        (412, {}, Refused, "status-412"),
        (500, {}, Unavailable, None),
        (503, {"Retry_After": "7"}, Unavailable, "status-503"),
    ],
)
@pytest.mark.parametrize("way", ["call", "read"])
def test_http_statuses_are_typed(server, service, status, headers, kind, reason, way):
    server.give(b"<html>a page of a proxy</html>", status, **headers)
    with pytest.raises(kind) as caught:
        service.call("Hent", {}) if way == "call" else list(service.read("Hent", {}, SHAPE))
    assert reason in (None, caught.value.reason)
    if status == 503:
        assert 7.0 == caught.value.retry_after


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe{[<",
        b"<html/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + answer("&a;"),
        envelope(""),
        answer("<p:Ukendt>010150-1234</p:Ukendt>"),
        answer("<p:Antal>010150-1234</p:Antal>"),
        answer("<p:Sag>")[:-20],
    ],
)
def test_an_answer_that_is_none_is_unavailable_and_never_quoted(server, service, body):
    server.give(body)
    with pytest.raises(Unavailable) as caught:
        service.call("Hent", {})
    assert "010150" not in str(caught.value)


def test_an_answer_larger_than_a_small_one_is_unavailable(server, service, monkeypatch):
    monkeypatch.setattr(soap, "SMALL", 1000)
    server.give(answer("<p:Status>20</p:Status>" + " " * 1000))
    with pytest.raises(Unavailable) as caught:
        service.call("Hent", {})
    assert "answer-size" == caught.value.reason


def test_records_are_read_with_the_small_fields_beside_them(server, service):
    records = "".join(f"<p:Sag><p:Id>{number}</p:Id></p:Sag>" for number in range(5))
    server.give(answer(f"<p:Status>20</p:Status><p:Antal>5</p:Antal>{records}"))
    reading = service.read("Hent", {"Side": 1}, SHAPE)
    keys = [key for slices in reading for key in slices.keys]
    assert [b"0", b"1", b"2", b"3", b"4"] == keys
    assert ("5", "", True) == (reading.value("Antal"), reading.value("Andet"), reading.whole)


@pytest.mark.parametrize("way", ["call", "read"])
def test_a_connection_closed_early_is_unavailable(server, service, way):
    body = answer("<p:Status>20</p:Status>" + "<p:Sag><p:Id>1</p:Id></p:Sag>" * 9)
    server.give(body, Content_Length=str(len(body) + 10), Connection="close")
    with pytest.raises(Unavailable) as caught:
        service.call("Hent", {}) if way == "call" else list(service.read("Hent", {}, SHAPE))
    assert "answer-truncated" == caught.value.reason


def called(service):
    """A call, tried again without the waits."""
    with stamina.set_testing(True, attempts=3, cap=True):
        for attempt in service.retried():
            with attempt:
                found = service.call("Hent", {})
    return found


def test_what_is_unavailable_is_tried_again(server, service):
    server.give(b"", 503)
    server.give(fault("Server"), 500)
    server.give(answer("<p:Status>20</p:Status>"))
    found = called(service)
    assert ("20", 3) == (found["Status"], len(server.calls))


def test_what_is_refused_or_far_off_is_not_tried_again(server, service):
    server.give(b"", 503, Retry_After="3600")
    with pytest.raises(Unavailable):
        called(service)
    assert 1 == len(server.calls)


def test_what_cannot_be_read_is_not_logged(server, service, caplog):
    server.give(answer("<p:Antal>010150-1234</p:Antal>"))
    with pytest.raises(Unavailable):
        service.call("Hent", {})
    assert "010150" not in caplog.text


@pytest.mark.parametrize("location", ["http://127.0.0.1:9/x.xsd", "../x.xsd", "/etc/hostname", "missing.xsd"])
def test_a_wsdl_imports_from_its_own_folder_only(tmp_path, location):
    folder = tmp_path / "wsdl"
    folder.mkdir()
    (tmp_path / "x.xsd").write_text(XSD)
    (folder / "x.wsdl").write_text(WSDL.replace("LOCATION", location))
    service = Soap(None, folder / "x.wsdl", url="http://127.0.0.1:9", system="test", codes=CODES)
    with pytest.raises(SettingsError):
        service.envelope("Hent", {})


@pytest.mark.parametrize("content", ["", "<x/>", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', WSDL[:-30]])
def test_a_file_that_is_no_wsdl_is_a_settings_error(tmp_path, content):
    (tmp_path / "x.wsdl").write_text(content)
    with pytest.raises(SettingsError):
        Soap(None, tmp_path / "x.wsdl", url="http://127.0.0.1:9", system="test", codes=CODES).envelope("Hent", {})
