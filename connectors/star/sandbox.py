"""STAR on this machine: one stand-in for all municipalities, over real HTTPS with mutual TLS."""

from __future__ import annotations

import shutil
import ssl
import tempfile
import weakref
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.star import message
from connectors.star.faults import FAULTS
from connectors.star.message import StarFault
from connectors.star.register import Register
from samspil.account import Account
from samspil.testing.certificates import Certificates, ClientCertificate, cvr_of
from samspil.testing.sandbox import Sandbox
from samspil.testing.tls import client_certificate
from samspil.testing.world import World, cvr

PATH: Final = "/Activity"
INTERNAL: Final = 1011  # the fault for one that is asked for without a code
LONGEST_ID: Final = 46  # characters of x-requestId


class StarSandbox(Sandbox):
    """Holds the activities of every organisation; knows the citizens of the given worlds.

    ``worlds`` are more municipalities beside the first; certificates are made in ``folder`` (a temporary one).
    """

    plays = ("expired-certificate", "fault-with-200", "fault-with-500")

    def __init__(self, world: World, *worlds: World, night: int = 1, folder: Path | None = None) -> None:
        super().__init__(world, night=night)
        self.worlds = {each.municipality: each for each in (world, *worlds)}
        self.register = Register(set())
        self.request_ids: defaultdict[str, set[str]] = defaultdict(set)  # those used, by organisation
        self._clients: dict[str, ClientCertificate] = {}
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="samspil-star-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.certificates = Certificates(folder)
        self._meet(night)

    def routes(self) -> Starlette:
        return Starlette(routes=[Route(PATH, self._activity, methods=["POST"])])

    def tls(self) -> ssl.SSLContext:
        return self._context

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self.certificates.server_context()

    def account_fields(self) -> dict[str, Any]:
        return {"schema": PATH, "extra": self._extra(self.world.municipality)}

    def account_of(self, municipality: str) -> Account:
        """The account of one of the municipalities, by its code."""
        return replace(self.account, extra=self._extra(municipality))

    def expired_account(self) -> Account:
        municipality = self.world.municipality
        client = self.certificates.client(cvr(municipality), f"Kommune {municipality}", expired=True)
        own = {"certificate": str(client.p12), "certificate_password": client.password}
        return replace(self.account, extra={**self.account.extra, **own})

    def to_night(self, night: int) -> None:
        super().to_night(night)
        self._meet(night)

    def held(self, schema: str) -> dict[str, dict[str, Any]]:
        """Activities of all organisations by the sender's id."""
        if schema != "activity":
            return {}
        return {str(held.activity["ExternalIdentifier"]): held.activity for held in self.register.held.values()}

    def _meet(self, night: int) -> None:
        for world in self.worlds.values():
            for each in range(1, night + 1):
                self.register.persons |= {fact["cpr"] for fact in world.records("person", each)}

    def _extra(self, municipality: str) -> dict[str, Any]:
        client = self._client(municipality)
        return {
            "certificate": str(client.p12),
            "certificate_password": client.password,
            "ca": str(self.certificates.ca),
            "organisation_code": _organisation(municipality),
            "authority_code": municipality,
        }

    def _client(self, municipality: str) -> ClientCertificate:
        if municipality not in self._clients:
            self._clients[municipality] = self.certificates.client(cvr(municipality), f"Kommune {municipality}")
        return self._clients[municipality]

    async def _activity(self, call: Request) -> Response:
        data = await call.body()
        try:
            organisation = self._asking(data, client_certificate(call.scope))
            refused = self._seen(organisation, call.headers.get("x-requestid", ""))
            return refused or self._answer(data, call.url.path)
        except StarFault as fault:
            status = 200 if self.faults.take("fault-with-200", call.url.path) else 500
            return Response(message.fault(fault.code), status, media_type="text/xml")

    def _asking(self, data: bytes, certificate: bytes | None) -> str:
        """The organisation that calls. Raises StarFault if it shows no certificate, or not its own."""
        if certificate is None:
            raise StarFault(1101)
        organisation = message.organisation(message.envelope(data))
        municipality = organisation[:3]
        if municipality not in self.worlds or organisation != _organisation(municipality):
            raise StarFault(1012)
        if cvr_of(certificate) != cvr(municipality):
            raise StarFault(1013)
        return organisation

    def _seen(self, organisation: str, request_id: str) -> Response | None:
        """Take note of a request id; the answer if it is none or was used before, whatever became of it then."""
        if not 0 < len(request_id) <= LONGEST_ID:
            return Response("x-requestId is missing or too long", 400)
        if request_id in self.request_ids[organisation]:
            return Response("x-requestId has been used", 412)
        self.request_ids[organisation].add(request_id)
        return None

    def _answer(self, data: bytes, path: str) -> Response:
        forced = next((code for code in FAULTS if self.faults.take(f"fault:{code}", path)), None)
        if forced is None and (self.faults.waiting("fault-with-200") or self.faults.take("fault-with-500", path)):
            forced = INTERNAL
        if forced is not None:
            raise StarFault(forced)
        request = message.request(message.envelope(data))
        fields = self.register.answer(request)
        return Response(message.answer(request.operation, fields), media_type="text/xml")


def _organisation(municipality: str) -> str:
    """A jobcenter's five digits: the municipality's three, and two."""
    return f"{municipality}01"
