"""A declared SOAP system on this machine, made of its WSDL and its declaration: stateful and strict, over real HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil import xml
from samspil.account import Account
from samspil.declared.soap.contract import Operation
from samspil.declared.soap.declaration import Listing, Schema, Sending
from samspil.declared.soap.system import SoapSystem, made
from samspil.declared.soap.values import leaves
from samspil.declared.values import named
from samspil.errors import Refused
from samspil.mapping.mapping import FOLDER
from samspil.soap import ENVELOPE
from samspil.testing.clock import Clock, clock
from samspil.testing.sandbox import Sandbox
from samspil.testing.soap.access import PATH, Access
from samspil.testing.soap.answers import Answers, Seal, multipart, unsealed
from samspil.testing.soap.history import History
from samspil.testing.soap.listed import listed
from samspil.testing.soap.register import Register, receipts, text
from samspil.testing.soap.signing import refusal
from samspil.testing.soap.words import Record, Words
from samspil.testing.world import World
from samspil.wssecurity.verification import whole

LARGEST = 50_000_000  # bytes of a request


class SoapFault(Exception):
    """What the sandbox answers instead of an answer."""

    def __init__(self, code: str, message: str, *, server: bool = False) -> None:
        super().__init__(message)
        self.code, self.server = code, server


class SoapSandbox(Sandbox):
    """Shows its world's records by the mapping read backwards, and takes what is sent; a subclass names the folder.

    With a ``security`` it takes signed requests only, signs if answers are, and has an STS if there is a token.
    What the declaration says nothing of is answered with an instance made from the WSDL. ``settings`` are the account's
    of the system's own, where a value made from their declaration is not enough; ``attachments`` says that binary content is sent as MTOM. Faults of its own: ``fault-with-200`` (a busy fault with status 200), ``fault:CODE``,
    ``business-error`` (a business status with status 200), ``half-batch`` (the second half gets no receipt and is not
    kept), ``failed-batch`` (the system failed at the second half).
    """

    folder: ClassVar[Path]  # the connector's
    mappings: ClassVar[Path] = FOLDER
    settings: ClassVar[Mapping[str, Any]] = {}
    attachments: ClassVar[bool] = False
    plays = ("half-batch", "failed-batch", "fault-with-200", "business-error", "late-commit", "skew")

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self.system: type[SoapSystem] = made(self.folder / "connector.yaml")
        self._contract, self._errors = self.system.checked.contract, self.system.checked.declaration.errors
        self._access = Access(self.system.checked, self.settings, world)
        self._clocks: dict[int, Clock] = {}
        self.to_night(night)
        self._answers = Answers(self.system)
        self._histories = {name: self._history(name, schema) for name, schema in self.system.checked.schemas.items()}
        self._registers = {
            name: Register(self.system, name, schema.write, self._histories[name], self.kept[name], self.refuses)
            for name, schema in self.system.checked.schemas.items()
            if schema.write
        }

    def words(self, schema: str) -> Words:
        """How the facts of a schema are shown; to be overridden where the mapping read backwards is not enough."""
        return Words(self.system, schema, self.mappings)

    def refuses(self, schema: str, record: Record) -> tuple[str, str] | None:  # noqa: ARG002  # a hook
        """The system's own code and field for a record it does not take; to be overridden."""
        return None

    def routes(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._called, methods=["POST"])])

    def account_fields(self) -> dict[str, Any]:
        return self._access.account()

    def tls(self) -> ssl.SSLContext | None:
        return self._access.tls()

    def start(self) -> Account:
        if self._access.signing:
            self._access.signing.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        if self._access.signing:
            self._access.signing.stop()

    def to_night(self, night: int) -> None:
        super().to_night(night)
        for past in range(1, night):
            self._clocks.setdefault(past, clock(past))
        self._clocks[night] = clock(night, skew=self.skew, late=self.late, before=self._clocks.get(night - 1))

    def _history(self, name: str, schema: Schema) -> History:
        incremental = schema.listing.incremental if schema.listing else None
        return History(self.world, name, self.words(name), incremental.changed if incremental else "", self._clocks)

    async def _called(self, request: Request) -> Response:
        if not self._access.lets_in(request):
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="sandbox"'})
        if not request.headers.get("content-type", "").startswith("text/xml"):
            return Response(status_code=415)
        data, action, signing = await request.body(), request.headers.get("soapaction", ""), self._access.signing
        if signing is None:
            return self._reply(data, action, unsealed)
        scheme = "http" if self.tls() is None else "https"
        try:
            opened = signing.open(data, action=action.strip('"'), url=f"{scheme}://{self.host}:{self.port}{PATH}")
        except Refused as error:
            return _answered(refusal(error), 500)
        return self._reply(data, action, lambda body, expand: signing.seal(body, opened, expand))

    def _reply(self, data: bytes, action: str, seal: Seal) -> Response:
        try:
            operation, message = self._asked(data, action)
            if self.faults.take("fault-with-200", PATH):
                busy = SoapFault("".join(self._errors.unavailable[:1]) or "Server", "Systemet er optaget", server=True)
                return self._faulty(busy, 200, seal)
            codes = (*self._errors.access, *self._errors.unavailable, *self._errors.refused)
            for code in (code for code in codes if self.faults.take(f"fault:{code}", PATH)):
                return self._faulty(SoapFault(code, "En fejl"), 500, seal)
            if self._errors.status and self.faults.take("business-error", PATH):
                body = self._answers.answer(operation, status=self._business_error(operation))
                return _answered(seal(body, whole))
            return self._sent(operation, self._answer(operation, message), seal)
        except SoapFault as fault:
            return self._faulty(fault, 500, seal)

    def _asked(self, body: bytes, action: str) -> tuple[Operation, etree._Element]:
        """The operation and its request, checked: safe, by the schema, with its headers."""
        invalid = "".join(self._errors.refused[:1]) or "Client"
        if len(body) > LARGEST:
            raise SoapFault(invalid, f"Beskeden fylder mere end {LARGEST} bytes")
        try:
            root = xml.parse(body)
        except Refused as error:
            raise SoapFault(invalid, error.reason) from None
        content = root.find(f"{{{ENVELOPE}}}Body")
        if root.tag != f"{{{ENVELOPE}}}Envelope" or content is None or len(content) != 1:
            raise SoapFault(invalid, "Ikke en SOAP 1.1-besked med ét element i Body")
        message = content[0]
        operations = map(self._contract.operation, self._contract.names)
        operation = next((one for one in operations if one.request.tag == message.tag), None)
        if operation is None or action != f'"{operation.action}"':
            raise SoapFault(invalid, "SOAPAction passer ikke til beskeden")
        if not self._contract.whole.validate(message):
            # a real one quotes the offending value; so must ours, or nobody learns to leave it out of a log
            raise SoapFault(invalid, str(self._contract.whole.error_log))
        header = root.find(f"{{{ENVELOPE}}}Header")
        if name := self._access.wrong_header(header):
            raise SoapFault(invalid, f"Headeren {name} mangler eller passer ikke")
        if self._access.stranger(header):
            raise SoapFault("".join(self._errors.access[:1]) or "Client", "Der er ingen aftale")
        return operation, message

    def _business_error(self, operation: Operation) -> str:
        """A code of a system that is out of order, of the kind that the status is."""
        (_, element), *_ = operation.answer.below(self._errors.status)
        digits = element.node().kind == "integer"
        found = (code for code in self._errors.unavailable if code.isdigit() == digits)
        return next(found, "99" if digits else "FEJL")

    def _answer(self, operation: Operation, message: etree._Element) -> bytes:
        for name, schema in self.system.checked.schemas.items():
            if schema.listing and schema.listing.operation == operation.name:
                return self._listed(operation, name, schema.listing, message)
            if schema.fetch and schema.fetch.operation == operation.name:
                return self._fetched(operation, name, text(message, schema.fetch.id))
            for way, sending in schema.write.ways.items() if schema.write else ():
                if sending.operation == operation.name and self._fits(sending, message):
                    return self._taken(operation, name, way, message)
        return self._answers.answer(operation)

    def _fits(self, sending: Sending, message: etree._Element) -> bool:
        """Whether it is this way of writing: one operation may take puts and deletions, told apart by a value."""
        first = message if not sending.each else _each(message, sending.each)[0]
        constants = [(first, path, value) for path, value in leaves(sending.item)]
        constants += [(message, path, value) for path, value in leaves(sending.values)]
        return all(named(str(value)) or text(place, path) == str(value) for place, path, value in constants)

    def _listed(self, operation: Operation, name: str, listing: Listing, message: etree._Element) -> bytes:
        given, raws = listed(self._histories[name], listing, message, self.night, self._clocks[self.night].now)
        return self._answers.answer(operation, given, record=self.system.checked.records[name], raws=raws)

    def _fetched(self, operation: Operation, name: str, number: str) -> bytes:
        register = self._registers.get(name)
        found = self._histories[name].shown(self.night).get(register.key(number) if register else number)
        record = self.system.checked.records[name]
        if found is not None:
            return self._answers.answer(operation, record=record, raws=[found.raw])
        if self._errors.status and self._errors.missing:
            return self._answers.answer(operation, record=record, status=self._errors.missing[0])
        if self._errors.missing:
            raise SoapFault(self._errors.missing[0], "Findes ikke")
        return self._answers.answer(operation, record=record)

    def _taken(self, operation: Operation, name: str, way: str, message: etree._Element) -> bytes:
        writing = self.system.checked.schemas[name].write
        if writing is None:
            raise SoapFault("Server", "uden aflevering", server=True)
        each = writing.ways[way].each
        items = _each(message, each) if each else [message]
        register, half = self._registers[name], (len(items) + 1) // 2
        if self.faults.take("half-batch", PATH):
            found = register.deliver(way, items[:half], self.night)
        elif writing.receipt.again and self.faults.take("failed-batch", PATH):
            found = register.deliver(way, items[:half], self.night) + register.failed(way, items[half:])
        else:
            found = register.deliver(way, items, self.night)
        return self._answers.answer(operation, receipts(operation.answer, writing, found))

    def _sent(self, operation: Operation, body: bytes, seal: Seal) -> Response:
        """The answer, with its records' binary content as attachments if that is how it is sent."""
        for name, schema in self.system.checked.schemas.items() if self.attachments else ():
            here = operation.name in [call.operation for call in (schema.listing, schema.fetch) if call]
            if here and (parts := multipart(body, self.system.checked.records[name], seal)):
                return Response(b"".join(parts), media_type=parts.content_type)
        return _answered(seal(body, whole))

    def _faulty(self, fault: SoapFault, status: int, seal: Seal) -> Response:
        return _answered(seal(self._answers.fault(fault.code, str(fault), server=fault.server), whole), status)


def _answered(body: bytes, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="text/xml; charset=utf-8")


def _each(message: etree._Element, path: str) -> list[etree._Element]:
    return list(message.iterfind("/".join(f"{{*}}{step}" for step in path.split("."))))
