"""The jobcenter's system on this machine: stateful and strict, over real HTTP."""

from __future__ import annotations

import base64
import hmac
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from connectors.jobcenter.contract import HERE, NAMESPACE, READS, RECORDS
from connectors.jobcenter.pages import SOAP, Pages, answer, bulk_file
from connectors.jobcenter.register import Register
from samspil import xml
from samspil.errors import Refused
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

PATH = "/ForloebService"
LARGEST = 10_000_000  # bytes of a request
LARGEST_PAGE = 5000
FAULT = "http://serviceplatformen.dk/xml/schemas/ServiceplatformFault/1/"
AUTHORITY = "{http://serviceplatformen.dk/xml/schemas/AuthorityContext/1/}AuthorityContext"
NO_MODEL = (
    "Security model for the called operation was not provided. "
    "The following are supported: [KombitToken, AuthorityContext]"
)

SCHEMAS = {record: schema for schema, record in RECORDS.items()}


class JobcenterFault(Exception):
    """What the sandbox answers instead of an answer."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class JobcenterSandbox(Sandbox):
    """Shows the orders and activities of its world and takes what the centre delivers.

    ``bulk`` is a folder of answers made by ``pages.write_bulk``, served instead of the world's lists. Faults of its
    own: ``fault-with-200`` and ``fault-with-500`` (a busy fault with that status), ``business-error`` (StatusKode 50
    with status 200), ``half-batch`` (the second half gets no Kvittering and is not kept), ``failed-batch`` (the second
    half is FEJLET).
    """

    plays = ("half-batch", "fault-with-200", "fault-with-500", "business-error")

    login, password, api_key = "samspil", "sandkasse-1", "sandkasse-noegle-1"

    def __init__(self, world: World, *, night: int = 1, bulk: Path | None = None) -> None:
        super().__init__(world, night=night)
        self.bulk = bulk
        self.register = Register(world, self.kept)
        self._pages: dict[tuple[str, int], Pages] = {}
        self._schema = etree.XMLSchema(etree.parse(HERE / "jobcenter.xsd", etree.XMLParser(**xml.SAFE)))

    def routes(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._called, methods=["POST"])])

    def account_fields(self) -> dict[str, Any]:
        return {
            "schema": PATH,
            "login": self.login,
            "password": self.password,
            "extra": {"municipality_cvr": self.world.cvr},
        }

    async def _called(self, request: Request) -> Response:
        if not self._let_in(request):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="jobcenter"'})
        if not request.headers.get("content-type", "").startswith("text/xml"):
            return Response(status_code=415)
        for kind, status in (("fault-with-200", 200), ("fault-with-500", 500)):
            if self.faults.take(kind, PATH):
                return _answered(_fault(JobcenterFault("OPTAGET", "Systemet er optaget")), status=status)
        try:
            message = self._message(await request.body(), request.headers.get("soapaction", ""))
            name = xml.local(message).removesuffix("Request")
            if self.faults.take("business-error", PATH):
                return _answered(answer(f"{name}Response", [], code="50"))
            return self._answer(name, message)
        except JobcenterFault as fault:
            return _answered(_fault(fault), status=500)

    def _let_in(self, request: Request) -> bool:
        pair = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        basic = hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Basic {pair}".encode())
        return basic or hmac.compare_digest(request.headers.get("apikey", "").encode(), self.api_key.encode())

    def _message(self, body: bytes, action: str) -> etree._Element:
        """The request's element, checked: safe, by the schema, for the right authority, with its contexts inside."""
        if len(body) > LARGEST:
            raise JobcenterFault("STOERRELSE", f"Beskeden fylder mere end {LARGEST} bytes")
        try:
            root = xml.parse(body)
        except Refused as error:
            raise JobcenterFault("SKEMA", error.reason) from None
        content = root.find(f"{{{SOAP}}}Body")
        if root.tag != f"{{{SOAP}}}Envelope" or content is None or len(content) != 1:
            raise JobcenterFault("SKEMA", "Ikke en SOAP 1.1-besked med ét element i Body")
        message = content[0]
        name = xml.local(message)
        if action != f'"{NAMESPACE}/{name.removesuffix("Request")}"':
            raise JobcenterFault("SKEMA", "SOAPAction passer ikke til beskeden")
        if len(message.findall(f"{{{NAMESPACE}}}Aflevering")) > 500:
            raise JobcenterFault("STOERRELSE", "Højst 500 afleveringer ad gangen")
        if not self._schema.validate(message):
            # a real one quotes the offending value; so must ours, or nobody learns to leave it out of a log
            raise JobcenterFault("SKEMA", str(self._schema.error_log))
        authority = message.find(AUTHORITY)
        if authority is None:
            raise JobcenterFault("SIKKERHEDSMODEL", NO_MODEL)
        if xml.text(authority, "MunicipalityCVR") != self.world.cvr:
            raise JobcenterFault("MYNDIGHED", "Der er ingen aftale for myndigheden")
        return message

    def _answer(self, name: str, message: etree._Element) -> Response:
        if name == "AdgangHent":
            return _answered(answer("AdgangHentResponse", []))
        if name.endswith("Aflever"):
            return self._taken(SCHEMAS[name.removesuffix("Aflever")], message)
        schema = SCHEMAS[name.removesuffix("Hent")]
        key = message.findtext(f"{{{NAMESPACE}}}Id")
        if key:
            return _answered(self._one(schema, key) or answer(f"{name}Response", [], code="44"))
        if schema not in READS:
            raise JobcenterFault("SKEMA", "Et Id skal angives")
        number = int(message.findtext(f"{{{NAMESPACE}}}SideNummer") or 1)
        size = int(message.findtext(f"{{{NAMESPACE}}}SideStoerrelse") or LARGEST_PAGE)
        if size > LARGEST_PAGE:
            raise JobcenterFault("STOERRELSE", f"Højst {LARGEST_PAGE} pr. side")
        if self.bulk and bulk_file(self.bulk, schema, number).is_file():
            return FileResponse(bulk_file(self.bulk, schema, number), media_type="text/xml; charset=utf-8")
        return _answered(self._list(schema).page(number, size))

    def _list(self, schema: str) -> Pages:
        at = (schema, self.night)
        if at not in self._pages:
            self._pages[at] = Pages(self.world, schema, self.night)
        return self._pages[at]

    def _one(self, schema: str, key: str) -> bytes | None:
        if schema in READS:
            return self._list(schema).one(key)
        found = self.register.found(schema, key)
        return None if found is None else answer(f"{RECORDS[schema]}HentResponse", [found])

    def _taken(self, schema: str, message: etree._Element) -> Response:
        deliveries = message.findall(f"{{{NAMESPACE}}}Aflevering")
        if not deliveries:
            raise JobcenterFault("SKEMA", "Mindst én aflevering")
        half = (len(deliveries) + 1) // 2
        if self.faults.take("half-batch", PATH):
            receipts = self.register.deliver(schema, deliveries[:half], self.night)
        elif self.faults.take("failed-batch", PATH):
            receipts = self.register.deliver(schema, deliveries[:half], self.night)
            receipts += self.register.failed(deliveries[half:])
        else:
            receipts = self.register.deliver(schema, deliveries, self.night)
        return _answered(answer(f"{RECORDS[schema]}AfleverResponse", receipts))


def _answered(body: bytes, *, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="text/xml; charset=utf-8")


def _fault(fault: JobcenterFault) -> bytes:
    role = "Server" if fault.code in ("OPTAGET", "INTERN") else "Client"
    error = f"<f:Error><f:ErrorCode>{fault.code}</f:ErrorCode><f:ErrorText>{escape(fault.text)}</f:ErrorText></f:Error>"
    detail = f'<f:ServiceplatformFault xmlns:f="{FAULT}"><f:ErrorList>{error}</f:ErrorList></f:ServiceplatformFault>'
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body><soap:Fault><faultcode>soap:{role}</faultcode>'
        f"<faultstring>{escape(fault.text)}</faultstring><detail>{detail}</detail></soap:Fault></soap:Body></soap:Envelope>"
    ).encode()
