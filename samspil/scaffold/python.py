"""A scaffold without a contract: a connector in Python, each method an open decision."""

from __future__ import annotations

from samspil.scaffold.names import class_name

_CONNECTOR = '''"""{title}: a connector by hand. Each TODO is a decision, or a method still to be written; see samspil/connector.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from samspil.account import Account
from samspil.connector import Connector, Field, Page, Reads
from samspil.errors import Refused
from samspil.http import HttpSettings, Session
from samspil.scaffold import TODO


class {name}Settings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account must give: closed and typed. A secret is ``Annotated[str, SECRET]`` (samspil.account)."""


class {name}(Connector):
    """One account at the system."""

    title = "{title}"
    Settings = {name}Settings
    reads = {{  # noqa: RUF012 - never changed
{reads}
    }}

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._session = Session(account.id, self.settings)

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        raise TODO("which fields has the record, and which are always there? dotted paths, [] after a list")

    def check(self) -> None:
        raise TODO("which call changes nothing and shows that the login is good? self._session.send('GET', '/…')")

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        raise TODO("which call gives the records, and how does one know the last page? yield Page(raws, keys)")

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        raise TODO("how does a raw record become a dict? for JSON: return samspil.json.decoded(raws)")

    def close(self) -> None:
        self._session.close()
'''

_SANDBOX = '''"""{title} on this machine: until it speaks as the system does, it shows the world's facts as JSON."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil.testing.sandbox import Sandbox


class {name}Sandbox(Sandbox):
    """Answers ``GET /<schema>`` with all there is tonight."""

    def routes(self) -> Starlette:
        return Starlette(routes=[Route("/{{schema}}", self._all)])

    async def _all(self, request: Request) -> Response:
        facts = self.world.records(request.path_params["schema"], self.night)
        return Response(msgspec.json.encode(facts), media_type="application/json")
'''


def connector(name: str, title: str, schemas: dict[str, str]) -> str:
    """The text of a ``connector.py``. ``schemas``: shared schema → what the system calls its record."""
    reads = "\n".join(f'        "{schema}": Reads("{record}"),' for schema, record in schemas.items())
    return _CONNECTOR.format(name=class_name(name), title=title, reads=reads)


def sandbox(name: str, title: str) -> str:
    """The text of its ``sandbox.py``."""
    return _SANDBOX.format(name=class_name(name), title=title)
