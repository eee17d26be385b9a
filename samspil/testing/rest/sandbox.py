"""A stand-in for any declared REST system, made of its connector.yaml, its OpenAPI file and the world's facts."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil.declared.rest.declaration import Declaration, Declared, Fetch, Write
from samspil.declared.rest.writing import PART
from samspil.openapi import Contract, Operation
from samspil.testing.clock import Clock, clock
from samspil.testing.rest.body import closed, problem
from samspil.testing.rest.example import Example
from samspil.testing.rest.guard import Guard, answer
from samspil.testing.rest.listed import Listed
from samspil.testing.rest.pages import CURSOR, put
from samspil.testing.rest.shown import Render, Showing, showing
from samspil.testing.rest.taken import Said, Taken, key_of
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World
from samspil.yamlfile import YamlFile

Endpoint = Callable[[Request], Awaitable[Response]]


class RestSandbox(Sandbox):
    """One system as ``folder`` declares it. A subclass says in ``renders`` how a fact of each schema it shows looks;
    until it does, records are made from the contract alone. ``settings`` are the account's of the system's own, where a value
    made from their declaration is not enough.

    What it checks: the login and its headers, every parameter and body against the OpenAPI file (closed: nothing
    unknown passes), how many come at a time, and that an idempotency key comes with the same content as before (else 409). Faults
    of its own: ``fault-with-200`` on any path, ``half-batch`` on that of ``put``.
    """

    folder: ClassVar[Path]
    renders: ClassVar[Mapping[str, Render]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}
    plays = ("fault-with-200", "half-batch", "late-commit", "skew")

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self.declaration = YamlFile(self.folder / "connector.yaml", Declaration).value
        self.contract = Contract(self.folder / self.declaration.openapi)
        self.guard = Guard(self.declaration, self.settings)
        self._clocks: dict[int, Clock] = {}
        for passed in range(1, night + 1):
            self.to_night(passed)

    def to_night(self, night: int) -> None:
        super().to_night(night)
        self._clocks = {past: self._clocks.get(past) or clock(past) for past in range(1, night)}
        before = self._clocks.get(night - 1)
        self._clocks[night] = clock(night, skew=self.skew, late=self.late, before=before)

    def account_fields(self) -> dict[str, Any]:
        return self.guard.account()

    def tls(self) -> ssl.SSLContext | None:
        return self.guard.tls()

    def routes(self) -> Starlette:
        found: list[tuple[str, str, Endpoint]] = []
        for schema, declared in self.declaration.schemas.items():
            found += self._reading(schema, declared)
            taken = None
            if declared.write is not None:
                taken = Taken(declared, declared.write, self.contract, self.kept[schema])
                found += self._writing(taken, declared.write)
            if declared.fetch is not None:
                found.append(("GET", declared.fetch.path, self._fetched(declared.fetch, taken, schema, declared)))
        found.append(("GET", self.declaration.check, self._checked))  # last: a list may be the check
        found.sort(key=lambda one: one[1].count("{"))  # a literal path before one that would take its last part as id
        routes = [
            Route(path, self._strict(method, path, endpoint), methods=[method]) for method, path, endpoint in found
        ]
        if self.guard.token_path:
            routes.append(Route(self.guard.token_path, self.guard.token, methods=["POST"]))
        return Starlette(routes=routes)

    def shown(self, schema: str) -> set[str]:
        declared = self.declaration.schemas.get(schema)
        return super().shown(schema) if declared is not None and declared.list is not None else set()

    # reading

    def _reading(self, schema: str, declared: Declared) -> list[tuple[str, str, Endpoint]]:
        found: list[tuple[str, str, Endpoint]] = []
        if declared.list is not None:
            listed = Listed(schema, declared, declared.list, self._show)
            found.append(("GET", declared.list.path, self._page(listed, gone=False)))
            gone = declared.list.incremental.told.path if declared.list.incremental else ""
            if gone:
                found.append(("GET", gone, self._page(listed, gone=True)))
        return found

    def _page(self, listed: Listed, *, gone: bool) -> Endpoint:
        async def page(request: Request) -> Response:
            return listed.page(str(request.url), request.query_params, self._clocks[self.night].now, gone=gone)

        return page

    def _render(self, schema: str, declared: Declared) -> Render:
        return self.renders.get(schema) or Example(self.contract, declared.record, declared.key)

    def _show(self, schema: str, declared: Declared) -> Showing:
        """What there is tonight."""
        return showing(
            self.world, schema, declared, self.contract, render=self._render(schema, declared), clocks=self._clocks
        )

    def _fetched(self, fetch: Fetch, taken: Taken | None, schema: str, declared: Declared) -> Endpoint:
        async def fetched(request: Request) -> Response:
            their_id = next(iter(request.path_params.values()))
            record = taken.found(their_id) if taken else None
            if record is None and declared.list is not None:
                render = self._render(schema, declared)
                facts = map(render, self.world.records(schema, self.night))
                record = next((one for one in facts if str(one[declared.key]) == their_id), None)
            return answer({"error": "not found"}, 404) if record is None else answer(put({}, fetch.within, record))

        return fetched

    async def _checked(self, _request: Request) -> Response:
        return answer({"system": self.declaration.title})

    # writing

    def _writing(self, taken: Taken, write: Write) -> list[tuple[str, str, Endpoint]]:
        calls: list[tuple[str, str, Endpoint]] = []
        for name in ("create", "update", "delete"):
            call: str = getattr(write, name)
            if call:
                method, _, path = call.partition(" ")
                own = PART.findall(path)[0] if name == "create" and PART.search(path) else ""
                if (method, path) not in [(one[0], one[1]) for one in calls]:  # a PUT that creates also updates
                    calls.append((method, path, self._one(taken, write, name, own)))
        if write.put is not None:
            method, _, path = write.put.call.partition(" ")
            operation = self.contract.operation(method, path)
            calls += [(method, path, self._many(taken, operation))] if operation else []
        return calls

    def _one(self, taken: Taken, write: Write, name: str, own: str) -> Endpoint:
        async def one(request: Request) -> Response:
            raw = await request.body()
            asked = _decoded(raw)
            key = key_of(write, request.headers, asked if name != "delete" else None)
            if key is None and (name != "delete" or write.key.header):
                return answer({"error": "no idempotency key"}, 400)
            their_id = next(iter(request.path_params.values()), None)

            def act() -> Said:
                return taken.delete(their_id or "") if name == "delete" else taken.call(asked, their_id, own=own)

            content = f"{request.method} {request.url.path} ".encode() + raw
            said = taken.once(key, content, act) if key else act()
            return answer(said.document, said.status)

        return one

    def _many(self, taken: Taken, operation: Operation) -> Endpoint:
        async def many(request: Request) -> Response:
            half = self.faults.take("half-batch", request.url.path) is not None
            said = taken.batch(_decoded(await request.body()), operation, half=half)
            return answer(said.document, said.status)

        return many

    # every call

    def _strict(self, method: str, path: str, endpoint: Endpoint) -> Endpoint:
        operation = self.contract.operation(method, path)

        @wraps(endpoint)
        async def strict(request: Request) -> Response:
            objection = self.guard.objection(request)
            if objection is not None:
                return objection
            wrong = self._wrong_parameter(operation, request) if operation else "unknown call"
            if wrong:
                return answer({"error": f"{wrong}: not as the contract has it"}, 400)
            if self.faults.take("fault-with-200", request.url.path):
                return answer(self._business_error())
            return await endpoint(request)

        return strict

    def _wrong_parameter(self, operation: Operation, request: Request) -> str:
        """The first parameter that is unknown, missing or out of its limits; nothing if all are right."""
        known = {one.name for one in operation.parameters if one.place == "query"} | {CURSOR}
        unknown = sorted(set(request.query_params) - known)
        if unknown or len(request.query_params) != len(request.query_params.multi_items()):
            return next(iter(unknown), "a parameter twice")
        given = {"query": request.query_params, "header": request.headers, "path": request.path_params}
        for one in operation.parameters:
            text = given.get(one.place, {}).get(one.name)
            if text is None and one.required:
                return one.name
            if text is not None and problem(closed(self.contract, one.schema), _typed(one.schema, text)):
                return one.name
        return ""

    def _business_error(self) -> Any:
        """An error about no record in an answer with status 200."""
        places = [one.write.receipt.code for one in self.declaration.schemas.values() if one.write]
        return put({}, next((place for place in places if place), "error.code"), "E5001")


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError):
        return None


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    """A parameter's text as the contract's type, or as it is if it is none."""
    kinds: dict[Any, Callable[[str], Any]] = {"integer": int, "number": float, "boolean": {"true": True}.__getitem__}
    try:
        return kinds.get(schema.get("type"), str)(text)
    except (ValueError, KeyError):
        return text
