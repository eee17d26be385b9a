"""What a connector is, in full.

A connector is a folder ``connectors/<name>/`` whose ``connector.py`` has one subclass of :class:`Connector`. It
reads raw records from one kind of system and writes records to it, in the system's own words; it knows nothing of
shared schemas' fields, of Airflow or of the store. Nothing is registered by hand (see ``samspil.registry``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import msgspec

from samspil.account import Account, Settings
from samspil.errors import Refused


class Reads(NamedTuple):
    """The connector can read this schema. ``incremental`` means ``read`` honours its cursor and reports ``gone``."""

    record: str  # the system's own name of the record
    mode: Literal["snapshot", "incremental"] = "snapshot"


class Writes(NamedTuple):
    """The connector can write this schema, at most ``batch`` records at a time.

    ``idempotency``: what makes the same change sent again harmless at the system: it remembers each ``key``, or the
    record's own ``id`` decides and a second put replaces the first.
    """

    record: str
    batch: int = 100
    deletes: bool = True
    idempotency: Literal["key", "id"] = "key"


class Field(NamedTuple):
    """One field of the system's record, from its contract (WSDL, OpenAPI, column list)."""

    required: bool


class Rejected(NamedTuple):
    """Bytes that could not even be cut into records, kept as they came."""

    raw: bytes
    error: Refused


class Page(NamedTuple):
    """Some records as they came over the wire, undecoded. ``keys[i]`` is the system's own key of ``raws[i]``."""

    raws: Sequence[bytes]
    keys: Sequence[bytes]
    rejected: Sequence[Rejected] = ()
    gone: Sequence[
        bytes
    ] = ()  # keys deleted, in incremental reads; one that is also read stays until a whole read tells
    cursor: str | None = None  # where the next read may start once all so far is acknowledged


class Change(NamedTuple):
    """One record to write. ``idempotency_key`` stays the same however often the same change is sent."""

    action: Literal["put", "delete"]
    raw: bytes  # the record as JSON, in the system's own words; for a delete, the one last acknowledged
    their_id: str | None  # what the system called it when it was created; None creates it
    idempotency_key: str  # a UUID as text

    @classmethod
    def of(cls, action: Literal["put", "delete"], record: Mapping[str, Any], their_id: str | None, key: str) -> Change:
        """A change from a record that is still a dict."""
        return cls(action, msgspec.json.encode(record), their_id, key)

    @property
    def record(self) -> dict[str, Any]:
        """The record decoded, afresh each time."""
        record: dict[str, Any] = msgspec.json.decode(self.raw)
        return record


class Receipt(NamedTuple):
    """The system's answer to one change. Exactly one per change, in the same order."""

    their_id: str | None = None
    reference: str = ""  # the system's own receipt number, if it gives one
    refused: Refused | None = None


class Connector(ABC):
    """One account at one system. Making one opens nothing; ``close`` gives back what the others opened."""

    title: ClassVar[str]  # for people, in English with the Danish term
    Settings: ClassVar[type[Settings]]
    reads: ClassVar[Mapping[str, Reads]] = {}  # by shared schema
    writes: ClassVar[Mapping[str, Writes]] = {}

    def __init__(self, account: Account) -> None:
        self.account = account
        self.settings: Any = account.settings(self.Settings)

    @classmethod
    @abstractmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        """Every field of the record that carries ``schema``: dotted paths, ``[]`` after a list (``Goals[].Title``)."""

    @abstractmethod
    def check(self) -> None:
        """Reach the system and log in, changing nothing. Raises AccessError or Unavailable."""

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """Every record (snapshot), or those changed since the cursor. A read that ends early raises, never returns.

        Raises AccessError or Unavailable; what is wrong with one record or one page goes into ``Page.rejected``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read {schema}")

    def settled(self, schema: str) -> None:
        """What a run read whole has its receipts: the system may be told, or files be moved away. Never in a dry run.

        May be called twice. Raises AccessError or Unavailable; the run counts all the same.
        """

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        """Raw records as dicts whose shape is that of ``fields``; a Refused in the place of each that is broken."""
        raise NotImplementedError(f"{type(self).__name__} does not read {schema}")

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        """Send a batch. Raises AccessError or Unavailable when the outcome of the batch as a whole is unknown."""
        raise NotImplementedError(f"{type(self).__name__} does not write {schema}")

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        """One record as the system has it now, to read back what was written; None if it has none."""
        raise NotImplementedError(f"{type(self).__name__} does not fetch {schema}")

    def close(self) -> None:
        """Give back sessions and sockets. May be called twice."""
