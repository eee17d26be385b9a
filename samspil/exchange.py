"""One SOAP request and its answer on the wire: signed and with its attachments out, verified and taken apart back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import requests
from lxml import etree

from samspil import mtom, xml
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.multipart import multipart
from samspil.wssecurity.message import Sealed
from samspil.wssecurity.security import Security, typed
from samspil.wssecurity.streaming import StreamedBody

CHUNK = 1 << 18  # bytes taken from the network at a time


class Session(Protocol):
    """What is needed of ``samspil.http.Session``, made with ``passed=(500,)``: a fault comes with that status."""

    def post(self, url: str, *, data: Any, headers: Mapping[str, str], stream: bool) -> requests.Response: ...


class Request(NamedTuple):
    """What is to be sent: the envelope, and the attachments that have a place in it."""

    operation: str
    action: str
    data: bytes
    attached: mtom.Placed
    http_headers: Mapping[str, str]


class Exchange:
    """The calls to one address. ``security`` None: nothing is signed, TLS must do."""

    def __init__(self, session: Session, url: str, system: str, security: Security | None) -> None:
        self._session, self._url, self._system, self._security = session, url, system, security

    def small(self, request: Request, limit: int) -> tuple[etree._Element, mtom.Placed]:
        """The whole answer, its XML at most ``limit`` bytes, and the attachments that have a place in it.

        Raises Unavailable if it is none, and what ``Security.check`` raises.
        """
        sent, response = self._sent(request)
        content_type = response.headers.get("Content-Type", "")
        try:
            with closing(response):
                chunks = self._chunks(response)
                if multipart(content_type):
                    message = mtom.parse(chunks, content_type, small=limit)
                    root = xml.parse(message.root)
                    placed = message.place(root)
                else:
                    root, placed = xml.parse(b"".join(self._limited(chunks, limit))), mtom.Placed()
        except Refused as error:
            raise Unavailable(
                f"the answer to {request.operation} is not XML: {error.hint}", system=self._system, reason=error.reason
            ) from None
        if self._security:
            self._security.check(root, sent, system=self._system, operation=request.operation, expand=placed.expand)
        return root, placed

    def streamed(self, request: Request, tag: str) -> Iterator[bytes]:
        """The answer as it comes in; with security only once all of it was verified, and then its Body alone.

        ``tag`` is that of its records. Attachments come as base64 where they belong. Raises as ``small``.
        """
        sent, response = self._sent(request)
        content_type = response.headers.get("Content-Type", "")
        inlined = multipart(content_type)
        chunks = self._inlined(request, response, content_type) if inlined else self._chunks(response)
        if self._security is None or self._security.trust is None:
            yield from chunks
            return
        body = StreamedBody(tag)
        try:
            with closing(response):
                root = body.read(chunks)
        except Refused as error:
            if error.reason in ("xml-doctype", "answer-size"):
                raise Unavailable(
                    f"the answer to {request.operation} is not taken: {error.hint}",
                    system=self._system,
                    reason=error.reason,
                ) from None
            raise typed(error, body.root, self._system, request.operation) from None
        except etree.XMLSyntaxError:
            message = f"the answer to {request.operation} is not XML"
            raise Unavailable(message, system=self._system, reason="answer-not-xml") from None
        self._security.check(root, sent, system=self._system, operation=request.operation, body=body.holds)
        yield from body.chunks()

    def _inlined(self, request: Request, response: requests.Response, content_type: str) -> Iterator[bytes]:
        try:
            with closing(response):
                message = mtom.parse(self._chunks(response), content_type)
            yield from message.inlined()
        except Refused as error:
            raise Unavailable(
                f"the answer to {request.operation} cannot be taken apart: {error.hint}",
                system=self._system,
                reason=error.reason,
            ) from None

    def _sent(self, request: Request) -> tuple[Sealed, requests.Response]:
        sent = Sealed(request.data, "")
        if self._security:
            sent = self._security.seal(
                request.data,
                action=request.action,
                url=self._url,
                system=self._system,
                expand=request.attached.expand,
            )
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{request.action}"',
            **request.http_headers,
        }
        data: Any = sent.data
        if request.attached:
            data = request.attached.compose(sent.data, "text/xml")
            headers["Content-Type"] = data.content_type
        response = self._session.post(self._url, data=data, headers=headers, stream=True)
        status = response.status_code
        if status in (HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR):
            return sent, response
        response.close()
        if status == HTTPStatus.NOT_FOUND:
            raise SettingsError("there is no such service at the address of the account", field=self._system)
        raise Refused(f"status-{status}", hint=f"{self._system} refused {request.operation}")

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_content(CHUNK)
        except requests.RequestException:
            raise Unavailable("the answer ends early", system=self._system, reason="answer-truncated") from None
        finally:
            response.close()

    def _limited(self, chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise Unavailable(f"the answer is larger than {limit} bytes", system=self._system, reason="answer-size")
            yield chunk
