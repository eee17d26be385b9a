"""The kit's own systems, in memory: one that gives plain records and one that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from samspil import registry
from samspil.account import Account, Settings
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.errors import Refused, Unavailable
from samspil.testing.conformance import plain


class _Plain(Connector):
    Settings = Settings

    def __init__(self, schema: str) -> None:
        super().__init__(Account(id="counterpart"))
        self.schema = schema

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return plain.fields(registry.schema(schema))

    def check(self) -> None:
        """It is always there."""


class Giver(_Plain):
    """Gives what ``records`` says, in one page."""

    title = "A system that gives"

    def __init__(self, schema: str, records: Callable[[], Sequence[dict[str, Any]]]) -> None:
        super().__init__(schema)
        self._records = records
        self.reads = {schema: Reads(schema)}  # type: ignore[misc]  # of this one

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        del schema, since
        records = list(self._records())
        yield Page([msgspec.json.encode(one) for one in records], [one["id"].encode() for one in records])

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        del schema
        return [msgspec.json.decode(raw) for raw in raws]


class Taker(_Plain):
    """Keeps what it is sent in ``held``, by id; ``down`` makes it unavailable, ``refuses`` names ids it refuses."""

    title = "A system that takes"

    def __init__(self, schema: str) -> None:
        super().__init__(schema)
        self.held: dict[str, dict[str, Any]] = {}
        self.puts = 0
        self.down = False
        self.writes = {schema: Writes(schema, idempotency="id")}  # type: ignore[misc]  # of this one

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        del schema
        if self.down:
            raise Unavailable("is down", system="counterpart")
        for change in batch:
            record = change.record
            if change.action == "put":
                self.puts += 1
                self.held[record["id"]] = record
            else:
                self.held.pop(change.their_id or record["id"], None)
        return [Receipt(change.record["id"], f"receipt {n}") for n, change in enumerate(batch)]
