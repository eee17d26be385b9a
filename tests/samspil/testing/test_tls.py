"""A sandbox behind mutual TLS sees who calls."""

import asyncio
import ssl

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from samspil.testing.certificates import Certificates, cvr_of
from samspil.testing.sandbox import Sandbox
from samspil.testing.tls import client_certificate
from samspil.testing.world import World

CVR = "99999370"


class Doorman(Sandbox):
    """Answers the CVR number in the caller's certificate."""

    def __init__(self, certificates):
        super().__init__(World("370", citizens=1))
        self.context = certificates.server_context()

    def tls(self):
        return self.context

    def routes(self):
        async def who(request):
            certificate = client_certificate(request.scope)
            return PlainTextResponse(cvr_of(certificate) if certificate else "nobody")

        return Starlette(routes=[Route("/", who)])


def ask(certificates, port, pem=None):
    async def conversation():
        context = ssl.create_default_context(cafile=str(certificates.ca))
        if pem:
            context.load_cert_chain(pem)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer.rpartition(b"\r\n\r\n")[2].decode()

    return asyncio.run(conversation())


def test_the_caller_is_known_by_its_certificate_or_is_nobody(tmp_path):
    certificates = Certificates(tmp_path)
    client = certificates.client(CVR, "Næstved Kommune")
    with Doorman(certificates) as sandbox:
        answers = [ask(certificates, sandbox.port, pem) for pem in (client.pem, None)]

    assert answers == [CVR, "nobody"]


def test_a_call_without_tls_has_no_certificate():
    assert client_certificate({"type": "http", "extensions": {}}) is None
