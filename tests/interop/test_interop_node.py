"""node-soap as server and as client, and xml-crypto below it: signatures and attachments, both ways."""

from __future__ import annotations

import base64
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lxml import etree

from samspil import mtom, xml
from samspil.mtom import Attachment, Placed

from .conftest import WSDL, needed

needed("node-soap")


class Server:
    """Ours: ``answer`` is given content type and body of a request and gives those of the answer."""

    def __init__(self) -> None:
        self.answer = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                content_type, answer = server.answer(self.headers["Content-Type"], data)
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

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


@pytest.fixture(scope="module")
def service(node, sides):
    """The URL of node-soap's server."""
    program = node.serve(sides.us.certificate)
    yield f"http://127.0.0.1:{program.line().split(':')[1].strip('}')}/s"
    program.stop()


def test_node_soap_serves_us(service, connect):
    found = connect(service).call("Hent", {"Id": "æøå <&>"})
    assert (["æøå <&>", "no signature"], 2) == ([one["Id"] for one in found["Sag"]], found["Antal"])


def test_xml_crypto_verifies_what_we_sign(service, connect, sides):
    from dataclasses import replace

    found = connect(service, replace(sides.security, trust=None)).call("Hent", {"Id": "æøå <&>"})
    assert "Action BinarySecurityToken Body MessageID ReplyTo Timestamp To" == found["Sag"][1]["Id"]


def test_we_verify_what_node_soap_signs_and_it_what_we_answer(server, node, sides):
    asked = []

    def answer(_content_type, data):
        asked.append(opened := sides.secured.open(data))
        inner = (
            b"<p:Status>20</p:Status><p:Sag><p:Id>%s</p:Id></p:Sag>"
            % xml.escaped(opened.request.findtext("{urn:x}Id")).encode()
        )
        return "text/xml", sides.secured.answer(b'<p:HentResponse xmlns:p="urn:x">%s</p:HentResponse>' % inner, opened)

    server.answer = answer
    told = node.told("call", WSDL, server.url, sides.us.key, sides.us.certificate)
    assert {"Status": "20", "Sag": [{"Id": "æøå <&>"}]} == told["result"]
    assert "Action BinarySecurityToken Body MessageID RelatesTo Timestamp To" == told["signed"]
    assert "urn:uuid:fra-node" == asked[0].verified.message_id


def test_node_soap_s_attachments_are_read_and_it_reads_ours(server, node, tmp_path):
    content = b"%PDF \r\n--x\r\n" + os.urandom(100_000)
    (tmp_path / "fil.pdf").write_bytes(content)
    asked = []

    def answer(content_type, data):
        message = mtom.parse([data], content_type)
        root = xml.parse(message.root)
        placed = message.place(root)
        values = {"Fil": root.findtext(".//{urn:x}Fil")}
        asked.append(placed.back(values, streamed=True)["Fil"].read())
        out = Placed()
        body = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")
        answer = etree.SubElement(
            etree.SubElement(body, "{http://schemas.xmlsoap.org/soap/envelope/}Body"), "{urn:x}HentResponse"
        )
        etree.SubElement(answer, "{urn:x}Status").text = "20"
        case = etree.SubElement(answer, "{urn:x}Sag")
        etree.SubElement(case, "{urn:x}Id").text = "1"
        etree.SubElement(case, "{urn:x}Fil").text = out.put(Attachment(content[::-1]))
        made = out.compose(etree.tostring(body), "text/xml")
        return made.content_type, b"".join(made)

    server.answer = answer
    told = node.told("attach", WSDL, server.url, tmp_path / "fil.pdf")
    assert [content] == asked
    assert [content[::-1]] == [base64.b64decode(one["body"]) for one in told["parts"]]
    (part,) = told["parts"]
    assert f"cid:{part['id'][1:-1]}" == told["result"]["Sag"][0]["Fil"]["Include"]["attributes"]["href"]
