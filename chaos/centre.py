"""The centre as a sandbox: it shows its rows, whole or those that changed, page by page."""

from __future__ import annotations

from datetime import datetime

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
    """``rows`` is what it has; a story gives it its own."""

    rows: Rows

    def __init__(self) -> None:
        super().__init__(World("760", citizens=1))

    def routes(self) -> Starlette:
        return Starlette(routes=[Route("/v1/plans", self._page), Route("/v1/changes", self._page)])

    async def _page(self, request: Request) -> Response:
        asked = request.query_params.get("changedSince")
        since = datetime.fromisoformat(asked) if asked else None
        rows, start = self.rows.shown(since), int(request.query_params.get("after", "0"))
        following = start + PAGE
        answer = {
            "plans": [row.record for row in rows[start:following]],
            "next": str(following) if following < len(rows) else None,
            "deleted": [key for key, at in self.rows.gone if key not in self.rows.held and (not since or at >= since)],
            "asOf": self.rows.now.isoformat(),
        }
        return Response(msgspec.json.encode(answer), media_type="application/json")
