"""A recording served in place of a sandbox: every call is answered as the system answered the same one."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil.account import Account
from samspil.errors import SettingsError
from samspil.testing.recording.coverage import Place
from samspil.testing.recording.exchange import ORIGIN, Exchange, load
from samspil.testing.recording.recorder import METHODS
from samspil.testing.recording.wrapped import rewrite
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

Key = tuple[Any, ...]


class Call(NamedTuple):
    """A call by what is compared: fields of its body that are new each time (``passing``) are only counted."""

    key: Key
    fields: tuple[tuple[str, Any], ...]
    passing: tuple[str, ...]


class RecordingSandbox(Sandbox):
    """Answers from a recording, to the same call in the order of the recording and from then on with the last answer.

    Compared are method, path, query and the body's fields. A call that was never recorded gets status 501 and is in
    ``unmatched`` with the nearest one that was; leaving the ``with`` block raises SettingsError for it.
    """

    def __init__(self, file: Path, world: World | None = None, *, night: int = 1) -> None:
        super().__init__(world or World("000", citizens=0), night=night)
        self._recording = load(file)
        self._calls = [_recorded(one) for one in self._recording.exchanges]
        self._asked: dict[Key, int] = {}
        self._by_key: defaultdict[Key, list[int]] = defaultdict(list)
        for number, call in enumerate(self._calls):
            self._by_key[call.key].append(number)
        self._masked = {name for one in self._recording.exchanges for name in one.passing}
        self.unmatched: list[str] = []

    def routes(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answered, methods=METHODS)])

    @property
    def account(self) -> Account:
        """The synthetic account of the recording."""
        here = f"http://{self.host}:{self.port}"
        saved = self._recording.account
        extra = {
            name: value.replace(ORIGIN, here) if isinstance(value, str) else value
            for name, value in saved["extra"].items()
        }
        fields = {**saved, "extra": extra}
        return Account(id=self._recording.connector, conn_type="http", host=self.host, port=self.port, **fields)

    def start(self) -> Account:
        """Serve from the beginning of the recording."""
        if self._server is None:
            self._asked.clear()
        return super().start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if kind is None and self.unmatched:
            raise SettingsError(self.unmatched[0], field=self._recording.connector, reason="recording-no-such-call")

    async def _answered(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        query = parse_qsl(request.url.query, keep_blank_values=True)
        content_type = request.headers.get("content-type", "")
        call = _call(request.method, path, query, await request.body(), content_type, self._masked)
        numbers = self._by_key.get(call.key, [])
        if not numbers:
            self.unmatched.append(self._nearest(call))
            return Response(self.unmatched[-1], status_code=501, media_type="text/plain")
        turn = self._asked.get(call.key, 0)
        self._asked[call.key] = turn + 1
        number = numbers[min(turn, len(numbers) - 1)]
        one = self._recording.exchanges[number]
        answer = one.answer.replace(ORIGIN.encode(), f"http://{self.host}:{self.port}".encode())
        for before, now in zip(self._calls[number].passing, call.passing, strict=True):
            answer = answer.replace(before.encode(), now.encode())
        headers = {name: value for name, value in one.answer_headers.items() if name != "content-length"}
        return Response(answer, status_code=one.status, headers=headers)

    def _nearest(self, call: Call) -> str:
        """What was recorded that is most like the call, and where it differs; no values of the call."""

        def unlike(number: int) -> tuple[int, int]:
            other = self._calls[number]
            return sum(a != b for a, b in zip(other.key, call.key, strict=True)), len({*other.fields} ^ {*call.fields})

        number = min(range(len(self._calls)), key=unlike)
        near, one = self._calls[number], self._recording.exchanges[number]
        parts = zip(("method", "path", "query"), near.key, call.key, strict=False)
        differs = [name for name, a, b in parts if a != b]
        recorded = {name for name, _ in near.fields}
        changed = {name for name, _ in {*near.fields} ^ {*call.fields}}
        differs += [f"body {name}" for name in sorted(changed & recorded)] + ["body has other fields"] * bool(
            changed - recorded
        )
        return (
            f"no such call was recorded; the nearest is call {number + 1}, {one.method} {one.path}, "
            f"which differs in {', '.join(differs)}"
        )


def _recorded(one: Exchange) -> Call:
    return _call(one.method, one.path, one.query, one.body, one.headers.get("content-type", ""), set(one.passing))


def _call(
    method: str, path: str, query: list[tuple[str, str]], body: bytes, content_type: str, masked: set[str]
) -> Call:
    fields = _Fields(masked)
    try:
        rewrite(body, content_type, fields)
        compared: Any = tuple(fields.found)
    except _Unreadable:
        compared = body
    key = (method, path, tuple(sorted(query)), compared)
    return Call(key, tuple(fields.found), tuple(fields.passing))


class _Unreadable(Exception):
    """A body that can only be compared byte by byte."""


class _Fields:
    """A visitor that takes a body apart and changes nothing."""

    def __init__(self, masked: set[str]) -> None:
        self._masked = masked
        self.found: list[tuple[str, Any]] = []
        self.passing: list[str] = []

    def leaf(self, place: Place, value: Any, record: bytes) -> Any:
        del record
        name = ".".join(place)
        passing = name in self._masked
        if passing:
            self.passing.append(str(value))
        self.found.append((name, "*" if passing else value))
        return value

    def is_record(self, place: Place) -> bool:
        del place
        return False

    def unreadable(self, place: Place, why: str) -> Exception:
        return _Unreadable(f"{'.'.join(place)} {why}")
