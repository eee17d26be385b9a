"""Mutants of the way in and out: waiting, rates, redirects, dangerous answers."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any
from unittest.mock import patch

import requests
from msgspec.structs import replace

from samspil.connector import Connector
from samspil.errors import SamspilError, Unavailable
from samspil.http import Session
from samspil.pace import Pace
from samspil.testing.mutants.mutant import engine, made, mutant, swapped

Base = type[Connector]
_ENTITY = re.compile(rb'SYSTEM "([^"]+)"')


@engine("retry_after_is_obeyed", "a_long_retry_after_is_handed_on")
def does_not_wait() -> AbstractContextManager[Any]:
    """Overlooks Retry-After."""
    return swapped("samspil.answer._retry_after", lambda _response: 0.01)


@engine("the_rate_is_kept")
def knows_no_rate() -> AbstractContextManager[Any]:
    """Calls as fast as it can."""
    return patch.object(Pace, "wait", lambda _self: None)


@mutant("a_silent_system_is_given_up")
def waits_for_ever(base: Base) -> Base:
    """Overlooks the time-out in its settings."""

    def init(self: Any, account: Any) -> None:
        base.__init__(self, replace(account, extra={**account.extra, "timeout": 60.0}))

    return made(base, __init__=init)


@engine("a_redirect_leads_nowhere")
@contextmanager
def follows_redirects() -> Iterator[None]:
    """Goes where an answer says."""
    plain = requests.Session.request

    def request(self: Any, method: str, url: str, **options: Any) -> Any:
        return plain(self, method, url, **{**options, "allow_redirects": True})

    with patch.object(requests.Session, "request", request):
        yield


@mutant("a_fault_with_status_500_says_what_it_is", needs="reads")
def reads_no_fault(base: Base) -> Base:
    """Tells the status of a fault, not its code."""

    def turned(call: Any) -> Any:
        try:
            return call()
        except SamspilError:
            raise Unavailable("answered with status 500", system="mutant", reason="status-500") from None

    def read(self: Any, schema: str, since: str | None = None) -> Any:
        yield from turned(lambda: list(base.read(self, schema, since)))

    return made(base, **({"read": read} if base.reads else {}))


@engine("an_external_entity_is_not_read")
@contextmanager
def opens_what_an_answer_names() -> Iterator[None]:
    """Reads the file or address that an answer names."""
    plain = Session._body  # noqa: SLF001 - a piece of the engine is broken on purpose
    post = Session.post

    def opened(body: bytes) -> None:
        for address in _ENTITY.findall(body):
            with suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(address.decode(), timeout=0.2).close()  # noqa: S310 - the test's own address

    def body(self: Any, response: Any, label: str) -> bytes:
        found = plain(self, response, label)
        opened(found)
        return found

    def posted(self: Any, url: str, *, data: bytes, headers: Any, stream: bool = True) -> Any:
        response = post(self, url, data=data, headers=headers, stream=stream)
        opened(response.content)
        return response

    with patch.object(Session, "_body", body), patch.object(Session, "post", posted):
        yield
