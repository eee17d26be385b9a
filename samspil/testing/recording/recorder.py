"""A proxy on this machine between a connector and its system: what passes is kept in memory until it is saved scrubbed.

The connector's account points at it; the calls go on to where the account pointed before, with the account's own
certificates. Nothing that was not scrubbed and searched is ever written to the disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import urllib3
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil.account import Account
from samspil.certificate import identity
from samspil.errors import SettingsError
from samspil.testing.recording.coverage import Coverage
from samspil.testing.recording.exchange import ORIGIN, Exchange
from samspil.testing.recording.rules import Rules
from samspil.testing.recording.scrubber import Scrubber
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

LARGEST = 64 << 20  # bytes of bodies that a recording may have in memory
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_CHUNK = 1 << 16
_HOP = frozenset(  # RFC 9110, 7.6.1; lengths and encodings are made anew
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "content-encoding",
        "accept-encoding",
    ]
)


class TooLarge(Exception):
    """There is no more room in memory."""


class Recorder(Sandbox):
    """Records one connector at one account. ``start`` gives the account to use instead; ``save`` writes the file."""

    def __init__(
        self,
        connector: str,
        account: Account,
        rules: Rules,
        *,
        municipality: str | None = None,
        largest: int = LARGEST,
    ) -> None:
        super().__init__(World("000", citizens=0))  # it has no facts of its own
        self._connector, self._upstream, self._largest = connector, account, largest
        self._coverage = Coverage(connector, rules, municipality)
        self._origins = [_origin(account.url)]  # the first is the account's own, the others below /-/<number>
        self._extra = {name: self._mounted(value) for name, value in account.extra.items()}
        self._exchanges: list[Exchange] = []
        self._size = 0
        self._overflown = False
        context = identity(
            *(str(account.extra.get(name, "")) for name in ("ca", "certificate", "certificate_password"))
        )
        self._pool = urllib3.PoolManager(ssl_context=context.context, retries=False, timeout=120.0)

    def routes(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._passed, methods=METHODS)])

    @property
    def account(self) -> Account:
        """The account as it was, but for the way: through here."""
        here = f"http://{self.host}:{self.port}"
        extra = {
            name: value.replace(ORIGIN, here, 1) if isinstance(value, str) else value
            for name, value in self._extra.items()
        }
        return msgspec.structs.replace(self._upstream, conn_type="http", host=self.host, port=self.port, extra=extra)

    def save(self, file: Path) -> int:
        """Scrub what was recorded, search it and write it; the number of calls in it.

        Raises SettingsError with a reason: ``recording-not-covered``, ``recording-unreadable``, ``recording-leak``,
        ``recording-too-large``, ``recording-no-substitute``, ``recording-empty``. Then there is no file.
        """
        if self._overflown:
            raise SettingsError(
                f"more than {self._largest} bytes were recorded; record fewer records; nothing was saved",
                field=self._connector,
                reason="recording-too-large",
            )
        if not self._exchanges:
            raise SettingsError("nothing was recorded", field=self._connector, reason="recording-empty")
        account = msgspec.structs.replace(self._upstream, extra=self._extra)
        exchanges = list(self._exchanges)
        data = Scrubber(self._connector, self._coverage, account).scrub(exchanges, file.name)
        try:
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
                new.write(data)
            os.replace(new.name, file)  # noqa: PTH105 - whole or not at all
        except OSError as error:
            raise SettingsError(f"cannot be written ({error.strerror})", file=str(file)) from None
        return len(exchanges)

    def stop(self) -> None:
        super().stop()
        self._pool.clear()

    def _mounted(self, value: Any) -> Any:
        """A setting that is an address, with that address's place here."""
        if not isinstance(value, str) or not value.startswith(("http://", "https://")):
            return value
        origin = _origin(value)
        if origin not in self._origins:
            self._origins.append(origin)
        return ORIGIN + _prefix(self._origins.index(origin)) + value[len(origin) :]

    async def _passed(self, request: Request) -> Response:
        body = await request.body()
        if self._overflown:
            return Response(status_code=502)
        try:
            return await run_in_threadpool(self._forward, request, body)
        except TooLarge:
            self._overflown = True
            self._exchanges.clear()
            return Response(status_code=502)
        except urllib3.exceptions.HTTPError:
            return Response(status_code=502)  # not recorded: the system itself said nothing

    def _forward(self, request: Request, body: bytes) -> Response:
        here = f"http://{self.host}:{self.port}"
        path = request.scope["raw_path"].decode("ascii")
        number = next((n for n in range(1, len(self._origins)) if path.startswith(_prefix(n) + "/")), 0)
        query = request.url.query
        target = self._origins[number] + path.removeprefix(_prefix(number)) + (f"?{query}" if query else "")
        self._grown(len(body))
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        answer = self._pool.urlopen(
            request.method,
            target,
            body=body or None,
            headers={**headers, "accept-encoding": "gzip, deflate"},
            preload_content=False,
            redirect=False,
        )
        try:
            content = self._content(answer)
        finally:
            answer.release_conn()
        cookies = answer.headers.getlist("set-cookie")
        kept = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in _HOP}
        kept |= {"set-cookie": "\n".join(cookies)} if cookies else {}
        content, kept = self._renamed(content, kept)
        self._exchanges.append(
            Exchange(
                method=request.method,
                path=path,
                query=parse_qsl(query, keep_blank_values=True),
                headers={**headers, "content-type": headers.get("content-type", "")},
                body=body,
                status=answer.status,
                answer_headers=kept,
                answer=content,
            )
        )
        shown = {name: value.replace(ORIGIN, here) for name, value in kept.items() if name != "set-cookie"}
        passed = Response(content.replace(ORIGIN.encode(), here.encode()), answer.status, headers=shown)
        for cookie in cookies:
            passed.headers.append("set-cookie", cookie)
        return passed

    def _content(self, answer: Any) -> bytes:
        parts = []
        for part in answer.stream(_CHUNK, decode_content=True):
            self._grown(len(part))
            parts.append(part)
        return b"".join(parts)

    def _grown(self, size: int) -> None:
        self._size += size
        if self._size > self._largest:
            raise TooLarge

    def _renamed(self, content: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
        """The answer with the system's own addresses written as a place of ours, so that links lead through here."""
        for number, origin in enumerate(self._origins):
            place = ORIGIN + _prefix(number)
            content = content.replace(origin.encode(), place.encode())
            headers = {name: value.replace(origin, place) for name, value in headers.items()}
        return content, headers


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _prefix(number: int) -> str:
    return f"/-/{number}" if number else ""
