"""A service over real HTTP that verifies requests and signs answers, and the certificates of both sides."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from samspil.certificate import credentials
from samspil.http import HttpSettings, Session
from samspil.soap import Codes, Soap
from samspil.testing.certificates import Certificates
from samspil.testing.secured import Secured
from samspil.wssecurity import Security, Trust

OURS, THEIRS = "29189668", "19435075"
WSDL = Path(__file__).with_name("service.wsdl")
CODES = Codes(faults={}, status="Status", passed=frozenset({"20"}))


class Service:
    """Answers each call by ``respond(opened)``, a Body's content; ``alter`` changes the answer's bytes on the way."""

    def __init__(self, secured: Secured) -> None:
        self.secured = secured
        self.calls: list[bytes] = []
        self.opened = []
        self.content_type = "text/xml; charset=utf-8"
        self.respond = lambda _opened: b'<p:HentResponse xmlns:p="urn:x"><p:Status>20</p:Status></p:HentResponse>'
        self.alter = lambda data: data
        self.seal = self.secured.answer
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                service.calls.append(data)
                opened = service.secured.open(data)
                service.opened.append(opened)
                answer = service.alter(service.seal(service.respond(opened), opened))
                self.send_response(200)
                self.send_header("Content-Type", service.content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing on the test's output."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/s"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("rsa"), keys="rsa")


@pytest.fixture(scope="session")
def us(certificates):
    given = certificates.client(OURS, "Randers Kommune")
    return credentials(str(given.p12), given.password)


@pytest.fixture(scope="session")
def them(certificates):
    given = certificates.client(THEIRS, "KOMBIT A/S")
    return credentials(str(given.p12), given.password)


@pytest.fixture
def trust(certificates):
    return Trust.read(str(certificates.ca), organisation=THEIRS)


@pytest.fixture
def security(us, trust):
    return Security(us, trust)


@pytest.fixture
def service(certificates, them):
    service = Service(Secured(them, Trust.read(str(certificates.ca), organisation=OURS)))
    yield service
    service.http.shutdown()
    service.thread.join()
    service.http.server_close()


@pytest.fixture
def connect(service):
    sessions = []

    def soap(security):
        sessions.append(Session("test", HttpSettings(url=service.url), passed=(500,)))
        return Soap(sessions[-1], WSDL, url=service.url, system="test", codes=CODES, security=security)

    yield soap
    for session in sessions:
        session.close()
