"""A journal system that stands in for the vendor's: it gives out tokens, shows the world's facts and takes orders.

What it checks is in the folder's README. Faults of its own, on ``/v1/course-orders/batch``: ``half-batch`` (the first
half takes effect and is answered, of the rest nothing is said) and, on any path, ``fault-with-200`` (a business error
in an answer with status 200).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.journal_rest import orders, rendering
from connectors.journal_rest.results import Fault, Result
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

CLIENT, SECRET, TENANT = "samspil-prøve", "ikke-en-rigtig-hemmelighed", "centre-1"
LARGEST_PAGE, LARGEST_BATCH, LONGEST_TOKEN = 5000, 100, 3600

Endpoint = Callable[[Request], Awaitable[Response]]
SCHEMAS = {
    "attendances": "attendance",
    "journal-notes": "journal_note",
    "status-notes": "status_note",
    "action-plans": "action_plan",
    "assessments": "assessment",
    "placements": "placement",
}


class JournalRestSandbox(Sandbox):
    """One centre's journal. ``bulk``: a folder whose files, by name, are the bodies of the pages of any collection."""

    plays = ("half-batch", "fault-with-200")

    def __init__(self, world: World, *, night: int = 1, bulk: Path | None = None) -> None:
        super().__init__(world, night=night)
        self.bulk = bulk
        self.token_seconds = LONGEST_TOKEN
        self._tokens: dict[str, float] = {}  # token → when it expires
        self._answers: dict[str, tuple[bytes, Result]] = {}  # idempotency key → what was asked and answered
        self._their_ids: dict[str, str] = {}  # the journal's id → the sender's
        self._numbers = count(1)
        self._shown: dict[tuple[str, int], list[tuple[bytes, bool]]] = {}

    def routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/v1/organisation", self._guarded(self._organisation)),
                Route("/v1/course-orders/batch", self._guarded(self._batch), methods=["POST"]),
                Route("/v1/course-orders/{id}", self._guarded(self._order), methods=["GET"]),
                Route("/v1/course-orders/{id}", self._guarded(self._delete), methods=["DELETE"]),
                Route("/v1/{collection}", self._guarded(self._page)),
            ]
        )

    def account_fields(self) -> dict[str, Any]:
        return {"login": CLIENT, "password": SECRET, "extra": {"tenant": TENANT}}

    def withdraw_tokens(self) -> None:
        """No token given out so far is good any more."""
        self._tokens.clear()

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 400)
        if form.get("scope") != "journal":
            return _json({"error": "invalid_scope"}, 400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.monotonic() + self.token_seconds
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds})

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def guarded(request: Request) -> Response:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            if kind != "Bearer" or self._tokens.get(token, 0.0) <= time.monotonic():
                return _json({"error": "invalid_token"}, 401)
            if request.headers.get("x-tenant") != TENANT:
                return _json({"error": "wrong tenant"}, 403)
            if self.faults.take("fault-with-200", request.url.path):
                return _json({"error": {"code": "E5001", "message": "Uventet fejl"}})
            return await endpoint(request)

        return guarded

    async def _organisation(self, _request: Request) -> Response:
        return _json({"tenant": TENANT, "name": "Uddannelsescentret", "productionUnit": self.world.provider})

    async def _page(self, request: Request) -> Response:
        schema = SCHEMAS.get(request.path_params["collection"])
        if schema is None:
            return _json({"error": "no such collection"}, 404)
        try:
            number, size = int(request.query_params["page"]), int(request.query_params["pageSize"])
        except (KeyError, ValueError):
            return _json({"error": "page and pageSize are required"}, 400)
        if number < 1 or not 1 <= size <= LARGEST_PAGE or len(request.query_params) > 2:
            return _json({"error": "page or pageSize out of range"}, 400)
        if self.bulk is not None:
            return Response(self._prepared(self.bulk, number), media_type="application/json")
        pages = self._pages(schema, size)
        raws, whole = pages[number - 1] if number <= len(pages) else ([], True)
        more = b"true" if number < len(pages) else b"false"
        end = b'],"hasMore":%s,"total":%d}' % (more, sum(len(page) for page, _ in pages))
        return Response(b'{"data":[' + b",".join(raws) + (end if whole else b""), media_type="application/json")

    def _pages(self, schema: str, size: int) -> list[tuple[list[bytes], bool]]:
        """The records by pages; one that is no JSON breaks off its page, so it has one of its own, after the first."""
        known = self._shown.get((schema, self.night))
        if known is None:
            known = self._shown[schema, self.night] = list(rendering.records(self.world, schema, self.night))
        good = [raw for raw, whole in known if whole]
        pages = [(good[start : start + size], True) for start in range(0, len(good), size)]
        return pages[:1] + [([raw], False) for raw, whole in known if not whole] + pages[1:]

    @staticmethod
    def _prepared(folder: Path, number: int) -> bytes:
        files = sorted(folder.iterdir())
        return files[number - 1].read_bytes() if number <= len(files) else b'{"data":[],"hasMore":false}'

    async def _batch(self, request: Request) -> Response:
        try:
            items = msgspec.json.decode(await request.body(), type=dict[str, list[dict[str, Any]]])["items"]
        except (msgspec.MsgspecError, KeyError):
            return _json({"error": "not a batch"}, 400)
        if not 1 <= len(items) <= LARGEST_BATCH or not all(isinstance(i.get("idempotencyKey"), str) for i in items):
            return _json({"error": f"1 to {LARGEST_BATCH} items, each with its idempotencyKey"}, 400)
        if self.faults.take("half-batch", request.url.path):
            items = items[: len(items) // 2]
        return _json({"results": [self._once(item["idempotencyKey"], item, self._put) for item in items]})

    def _once(self, key: str, item: dict[str, Any], act: Callable[[dict[str, Any]], Result]) -> Result:
        """The same key again is answered the same and does nothing; with another content it is an error."""
        asked = msgspec.json.encode(item, order="deterministic")
        if key not in self._answers:
            self._answers[key] = asked, act(item)
        before, result = self._answers[key]
        return result if before == asked else Result(key, 409, errors=[Fault("idempotency-key")])

    def _put(self, item: dict[str, Any]) -> Result:
        key, order, their_id = item["idempotencyKey"], item.get("order"), item.get("id")
        if set(item) - {"idempotencyKey", "order", "id"}:
            return Result(key, 422, errors=[Fault("unknown")])
        found = orders.faults(order)
        if found or not isinstance(order, dict):
            return Result(key, 422, errors=found)
        sender, held = order["externalId"], self.kept["course_order"]
        if their_id is None and sender in held:
            return Result(key, 409, errors=[Fault("duplicate", "externalId")])
        if their_id is not None and self._their_ids.get(their_id) != sender:
            return Result(key, 404, errors=[Fault("not-found")])
        status = 201 if their_id is None else 200
        if their_id is None:
            their_id = f"J{next(self._numbers):08d}"
            self._their_ids[their_id] = sender
        held[sender] = order
        return Result(key, status, id=their_id, receipt=f"KV-{len(self._answers) + 1:06d}")

    async def _order(self, request: Request) -> Response:
        their_id = request.path_params["id"]
        if their_id not in self._their_ids:
            return _json({"error": "not found"}, 404)
        return _json({"id": their_id, "order": self.kept["course_order"][self._their_ids[their_id]]})

    async def _delete(self, request: Request) -> Response:
        their_id = request.path_params["id"]
        if not request.headers.get("idempotency-key"):
            return _json({"error": "the header Idempotency-Key is required"}, 400)
        if their_id not in self._their_ids:
            return _json({"error": "not found"}, 404)
        del self.kept["course_order"][self._their_ids.pop(their_id)]
        return _json({"receipt": f"KV-S{their_id}"})


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
