"""The centre as a sandbox: it shows its rows, whole or those that changed, page by page."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chaos.rows import Rows
from samspil.testing.sandbox import Sandbox
from samspil.testing.world import World

PAGE = 4


class Centre(Sandbox):
    """``rows`` is what it has; ``fresh`` gives it a story's own."""

    def __init__(self) -> None:
        super().__init__(World("760", citizens=1))
        self.fresh(Rows(random.Random(0)))  # noqa: S311  # no secret

    def fresh(self, rows: Rows) -> None:
        """Show these from now on."""
        self.faults.clear()
        self.rows = rows
        self._reads: list[tuple[list[dict[str, Any]], dict[str, Any]]] = []

    def routes(self) -> Starlette:
        return Starlette(routes=[Route("/v1/plans", self._page), Route("/v1/changes", self._page)])

    async def _page(self, request: Request) -> Response:
        """The pages of one read show one moment, however late they are asked for."""
        asked, after = request.query_params.get("changedSince"), request.query_params.get("after")
        if after is None:
            self._reads.append(self._now(datetime.fromisoformat(asked) if asked else None))
        read, start = map(int, after.split("-")) if after else (len(self._reads) - 1, 0)
        plans, beside = self._reads[read]
        following = start + PAGE
        answer = {
            "plans": plans[start:following],
            "next": f"{read}-{following}" if following < len(plans) else None,
            **beside,
        }
        return Response(msgspec.json.encode(answer), media_type="application/json")

    def _now(self, since: datetime | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The plans, and what is beside them on each page."""
        rows = self.rows
        gone = [key for key, at in rows.gone if key not in rows.held and (since is None or at >= since)]
        return [row.record for row in rows.shown(since)], {"deleted": gone, "asOf": rows.now.isoformat()}
