"""The office as a sandbox: it takes plans, remembers each idempotency key, and notes all that took effect, in order.

It does not look for doubles itself: a record created twice is there twice, and shows. Faults of its own, on any path:
``half-batch`` (the first half takes effect and is answered), ``half-error`` (the same, then status 500), ``twice`` (the
call arrives twice), ``stale`` (after it, the call before it arrives once more), ``shuffled`` (results in another order).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

Item = dict[str, Any]


class Effect(NamedTuple):
    """Something that took effect. ``version`` is that of the row, for a deletion of the one that was held.

    ``edits`` is how many edits the centre had seen by then.
    """

    action: str
    key: str  # the centre's
    person: str
    version: int
    idempotency: str
    edits: int


class Office(Sandbox):
    """``held`` by the office's own ids. Call ``fresh`` between stories."""

    plays = ("half-batch", "half-error", "twice", "stale", "shuffled")

    def __init__(self) -> None:
        super().__init__(World("760", citizens=1))
        self._numbers = count(1)  # never given twice, or an answer kept by the network would fit another record
        self.fresh()

    def fresh(self) -> None:
        """Forget everything."""
        self.faults.clear()
        self.effects: list[Effect] = []
        self.edits = 0  # at the centre so far
        self.plans: dict[str, Item] = {}
        self.reused: list[str] = []  # records whose change came with another change's key
        self.refuses: set[str] = set()  # keys of records that are refused, whatever they say
        self.before: tuple[Item, ...] = ()  # the call before; no network keeps one for a night
        self._answers: dict[str, tuple[Item, Item]] = {}  # idempotency key → what was asked and answered

    def routes(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/plans/batch", self._batch, methods=["POST"]),
                Route("/v1/plans/{id}", self._delete, methods=["DELETE"]),
            ]
        )

    async def _batch(self, request: Request) -> Response:
        items: list[Item] = msgspec.json.decode(await request.body())["items"]
        half = len(items) // 2
        if self.faults.take("half-error", request.url.path):
            self._all(request, items[:half])
            return Response(b"", 500)
        if self.faults.take("half-batch", request.url.path):
            items = items[:half]
        results = self._all(request, items)
        if self.faults.take("shuffled", request.url.path):
            results.reverse()
        return Response(msgspec.json.encode({"results": results}), media_type="application/json")

    async def _delete(self, request: Request) -> Response:
        item = {"key": request.headers["idempotency-key"], "id": request.path_params["id"]}
        (result,) = self._all(request, [item])
        return Response(msgspec.json.encode(result), result["status"], media_type="application/json")

    def _all(self, request: Request, items: Sequence[Item]) -> list[Item]:
        """What became of each, when it arrived as often as the network made it arrive."""
        results = [self._once(item) for item in items]
        if self.faults.take("twice", request.url.path):
            results = [self._once(item) for item in items]
        if self.faults.take("stale", request.url.path):
            for item in self.before:
                self._once(item)
        self.before = tuple(items)
        return results

    def _once(self, item: Item) -> Item:
        key = item["key"]
        if key in self._answers:
            asked, answer = self._answers[key]
            if asked == item:
                return answer
            self.reused.append((item.get("plan") or asked.get("plan") or item)["id"])
            return {"key": key, "status": 409}
        answer = self._put(item) if "plan" in item else self._take_away(item)
        if answer["status"] == 200:
            self._answers[key] = item, answer
        return answer

    def _put(self, item: Item) -> Item:
        plan, number = item["plan"], item.get("id")
        if plan["id"] in self.refuses:
            return {"key": item["key"], "status": 422}
        if number is None:
            number = f"O{next(self._numbers)}"
        elif number not in self.plans:
            return {"key": item["key"], "status": 404}
        self.plans[number] = plan
        self._took_effect("put", plan, item["key"])
        return {"key": item["key"], "status": 200, "id": number}

    def _take_away(self, item: Item) -> Item:
        plan = self.plans.get(item["id"])
        if plan is None:
            return {"key": item["key"], "status": 404}
        if plan["id"] in self.refuses:
            return {"key": item["key"], "status": 422}
        del self.plans[item["id"]]
        self._took_effect("delete", plan, item["key"])
        return {"key": item["key"], "status": 200}

    def _took_effect(self, action: str, plan: Item, idempotency: str) -> None:
        self.effects.append(Effect(action, plan["id"], plan["cpr"], int(plan["title"]), idempotency, self.edits))
