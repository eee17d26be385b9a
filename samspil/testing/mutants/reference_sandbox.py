"""The reference's system: stateful and strict, with a clock, times of change, and faults of every kind."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from functools import wraps
from itertools import count
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil import mapping, registry
from samspil.testing.conformance import plain
from samspil.testing.facts import TODAY
from samspil.testing.mutants.reference import NAME, Reference, reference
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

LOGIN, PASSWORD = "samspil", "reference-hemmelig-1"
Endpoint = Callable[[Request], Awaitable[Response]]


class _Entry(NamedTuple):
    """A record, or None for one that is gone, and when that came to be."""

    changed: datetime
    id: str
    record: dict[str, Any] | None
    broken: bool


class ReferenceSandbox(Sandbox):
    """Shows meetings and assessments; takes meetings, each idempotency key once."""

    plays = ("fault-with-200", "fault-with-500", "business-error", "half-batch", "late-commit", "skew")

    def __init__(self, world: World, *, night: int = 1) -> None:
        super().__init__(world, night=night)
        self._entries: dict[str, dict[str, _Entry]] = {schema: {} for schema in Reference.reads}
        self._answers: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._ids: dict[str, str] = {}  # the system's id → the sender's
        self._numbers = count(1)
        self._words = {schema: _words(schema) for schema in Reference.reads}
        for schema in Reference.reads:
            self._notice(schema, first=True)

    def routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/check", self._guarded(self._check)),
                Route("/v1/list/{schema}", self._guarded(self._list)),
                Route("/v1/write/meeting", self._guarded(self._write), methods=["POST"]),
                Route("/v1/one/meeting/{id}", self._guarded(self._one)),
            ]
        )

    def account_fields(self) -> dict[str, Any]:
        return {"login": LOGIN, "password": PASSWORD}

    def to_night(self, night: int) -> None:
        super().to_night(night)
        for schema in Reference.reads:
            self._notice(schema)

    def _notice(self, schema: str, *, first: bool = False) -> None:
        """Compare with what was shown before; what differs was changed tonight."""
        entries, broken = self._entries[schema], self.world.broken(schema, self.night)
        night = self.night - 1 if self.late else self.night  # what is committed late was changed before the last read
        now = datetime.combine(TODAY, time(12), UTC) + timedelta(days=night, seconds=self.skew - self.late)
        facts = {fact["id"]: fact for fact in self.world.records(schema, self.night)}
        for number, (key, fact) in enumerate(facts.items()):
            record = _damaged(self._words[schema](fact), broken.get(key, ""))
            spoilt = broken.get(key) == "broken-syntax"
            if key not in entries or entries[key][2:] != (record, spoilt):
                moment = now - timedelta(days=20 - number // 3) if first else now  # three at the same moment
                entries[key] = _Entry(moment, key, record, spoilt)
        for key, entry in list(entries.items()):
            if key not in facts and entry.record is not None and key not in self.kept[schema]:
                entries[key] = _Entry(now, key, None, broken=False)

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def guarded(request: Request) -> Response:
            pair = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {pair}":
                return _json({"error": "who are you"}, 401)
            path = request.url.path
            if self.faults.take("fault-with-200", path) or self.faults.take("business-error", path):
                return _json({"code": "inner"})
            if self.faults.take("fault-with-500", path):
                return _json({"code": "busy"}, 500)
            return await endpoint(request)

        return guarded

    async def _check(self, _request: Request) -> Response:
        return _json({"system": NAME})

    async def _list(self, request: Request) -> Response:
        schema, query = request.path_params["schema"], request.query_params
        if schema not in self._entries or set(query) - {"page", "size", "since"}:
            return _json({"error": "no such list"}, 404)
        number, size, since = int(query["page"]), int(query["size"]), query.get("since")
        entries = sorted(self._entries[schema].values(), key=lambda entry: entry[:2])
        if getattr(self.world, "backwards", False) and not since:
            entries = entries[::-1]
        if since:
            entries = [entry for entry in entries if entry.changed >= datetime.fromisoformat(since)]
        else:
            entries = [entry for entry in entries if entry.record is not None]
        whole = [entry for entry in entries if not entry.broken]
        pages = [whole[at : at + size] for at in range(0, len(whole), size)] or [[]]
        pages[1:1] = [[entry] for entry in entries if entry.broken]
        shown = pages[number - 1] if number <= len(pages) else []
        body = {
            "records": [entry.record for entry in shown if entry.record is not None],
            "gone": [entry.id for entry in shown if entry.record is None],
            "more": number < len(pages),
            "latest": max((entry.changed for entry in shown), default=None),
        }
        raw = msgspec.json.encode(body)
        return Response(raw[: len(raw) // 2] if shown and shown[0].broken else raw, media_type="application/json")

    async def _write(self, request: Request) -> Response:
        changes = msgspec.json.decode(await request.body())["changes"]
        if not 1 <= len(changes) <= Reference.writes["meeting"].batch:
            return _json({"error": "too many"}, 400)
        if self.faults.take("half-batch", request.url.path):
            changes = changes[: len(changes) // 2]
        return _json({"answers": [self._once(change) for change in changes]})

    def _once(self, change: dict[str, Any]) -> dict[str, Any]:
        asked, key = msgspec.json.encode(change, order="deterministic"), change["key"]
        if key not in self._answers:
            self._answers[key] = asked, {"key": key, **self._taken(change)}
        before, answer = self._answers[key]
        return answer if before == asked else {"key": key, "status": 409, "reason": "key-reused"}

    def _taken(self, change: dict[str, Any]) -> dict[str, Any]:
        held, record, their_id = self.kept["meeting"], change["record"], change["id"]
        sender = self._ids.get(their_id, "") if their_id else record.get("id", "")
        if change["action"] == "delete":
            if held.pop(sender, None) is not None:
                self._entries["meeting"].pop(sender)
            return {"status": 200, "id": their_id, "reference": f"S-{len(self._answers)}"}
        for name, field in Reference.fields("meeting").items():
            if field.required and record.get(name.removesuffix("[]")) in (None, ""):
                return {"status": 422, "reason": "missing-field", "field": name}
        try:
            msgspec.convert(record, registry.schema("meeting"), strict=False)
        except msgspec.ValidationError:
            return {"status": 422, "reason": "bad-value"}
        if not their_id and sender in held:
            return {"status": 409, "reason": "already-exists", "field": "id"}
        if their_id and (sender not in held or record["id"] != sender):
            return {"status": 404, "reason": "not-found"}
        if not their_id:
            their_id = f"R{next(self._numbers):06d}"
            self._ids[their_id] = sender
        held[sender] = record
        now = datetime.combine(TODAY, time(12), UTC) + timedelta(days=self.night)
        self._entries["meeting"][sender] = _Entry(now, sender, record, broken=False)
        return {"status": 200, "id": their_id, "reference": f"K-{len(self._answers)}"}

    async def _one(self, request: Request) -> Response:
        record = self.kept["meeting"].get(self._ids.get(request.path_params["id"], ""))
        return _json({"error": "not found"}, 404) if record is None else _json({"record": record})


def _words(schema: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A fact in the system's words, which are those of the shared schema."""
    struct: Any = registry.schema(schema)
    subject = reference()
    loaded = mapping.load(NAME, schema, fields=plain.fields(struct), struct=struct, folder=subject.mappings)
    to_theirs = loaded.to_theirs(struct.__struct_fields__)
    return lambda fact: to_theirs(msgspec.convert(fact, struct))


def _damaged(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """The record with one damage."""
    when = "held_at" if "held_at" in record else "answered"
    code = "kind" if "kind" in record else "questionnaire"
    changes: dict[str, dict[str, Any]] = {
        "bad-date": {when: "2026-02-30T10:00:00+01:00" if when == "held_at" else "2026-02-30"},
        "unknown-code": {code: "ZZ"},
        "missing-field": {"cpr": None},
        "bad-cpr": {"cpr": "3999405555"},
        "unknown-field": {"newInVersion9": True},
    }
    return {name: value for name, value in {**record, **changes.get(kind, {})}.items() if value is not None}


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
