"""A subject: the connector under test, with the sandbox that plays its system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from samspil import mapping, registry
from samspil.account import Settings
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.mapping.mapping import folder_of
from samspil.testing.conformance.promise import Promise, promises
from samspil.testing.sandbox import Sandbox
from samspil.testing.spoken import Spoken
from samspil.testing.world import World

LONGEST_SKIP = timedelta(days=366)
MUNICIPALITY, CITIZENS = "760", 24


class SandboxFactory(Protocol):
    """A sandbox's class, or a function that makes one of a world."""

    def __call__(self, world: World, /) -> Sandbox: ...


class Skip(NamedTuple):
    """A promise that is not kept for now, why, and the last day on which that is accepted."""

    promise: str
    reason: str
    until: date

    def problem(self, today: date | None = None) -> str:
        """Why the skip itself fails; nothing while it holds."""
        today = today or datetime.now(UTC).date()
        if self.promise not in promises():
            return f"there is no promise {self.promise}"
        if len(self.reason.split()) < 2:
            return "a skip says why, in words"
        if self.until < today:
            return f"the skip ran out on {self.until}: keep the promise or decide anew"
        return f"a skip lasts {LONGEST_SKIP.days} days at most" if self.until - today > LONGEST_SKIP else ""


class Subject:
    """A connector by name or class, what makes its sandbox, and settings laid over the sandbox's account.

    ``municipality`` is the code of the world's; ``mappings`` the folder with ``<name>/<schema>.yaml``.
    """

    def __init__(
        self,
        connector: str | type[Connector],
        sandbox: SandboxFactory,
        *,
        settings: Mapping[str, Any] | None = None,
        skips: Sequence[Skip] = (),
        municipality: str = MUNICIPALITY,
        mappings: Path | None = None,
        name: str = "",
    ) -> None:
        self.connector = registry.connector(connector) if isinstance(connector, str) else connector
        self.name = name or (connector if isinstance(connector, str) else connector.__name__.lower())
        self.sandbox = sandbox
        self.settings = dict(settings or {})
        self.skips = {skip.promise: skip for skip in skips}
        self.municipality, self.mappings = municipality, mappings or folder_of(self.name)

    def __repr__(self) -> str:
        return f"Subject({self.name!r})"

    @cached_property
    def spoken(self) -> Mapping[str, Spoken]:
        """By schema, what says a fact in the codes that the system has; none where there is no mapping that loads."""
        found: dict[str, Spoken] = {}
        for schema in {**self.connector.reads, **self.connector.writes}:
            with suppress(SettingsError):  # a promise of its own says what is wrong with the mapping
                found[schema] = Spoken(self.mapping(schema))
        return found

    def mapping(self, schema: str, *directions: str) -> mapping.Mapping:
        """Its mapping of a schema; without ``directions`` those that the connector has. Raises SettingsError."""
        there = {"to_ours": self.connector.reads, "to_theirs": self.connector.writes}
        return mapping.load(
            self.name,
            schema,
            self.municipality,
            fields=self.connector.fields(schema),
            struct=registry.schema(schema),
            directions=directions or [direction for direction, has in there.items() if schema in has],
            folder=self.mappings,
        )

    def schemas(self, promise: Promise) -> list[str]:
        """The schemas that a promise is tried for."""
        reads, writes = self.connector.reads, self.connector.writes
        return {
            "connector": [],
            "read": list(reads),
            "write": list(writes),
            "incremental": [name for name, read in reads.items() if read.mode == "incremental"],
            "both": [name for name in reads if name in writes],
        }[promise.per]

    def lacks(self, promise: Promise, schema: str, features: frozenset[str]) -> str:
        """Why a promise does not apply; nothing if it does. ``features`` are those of a trial."""
        there = features | self._of(schema)
        return ", ".join(f"no {need}" for need in sorted(promise.needs - there))

    def _of(self, schema: str) -> frozenset[str]:
        """What is there for one schema."""
        found = set()
        connector, writes = self.connector, self.connector.writes.get(schema)
        if writes is not None:
            found |= {"deletes"} if writes.deletes else set()
            found |= {"batches"} if writes.batch > 1 else set()
            found |= {f"idempotency-{writes.idempotency}"}
        if connector.fetch is not Connector.fetch:
            found.add("fetch")
        if schema in connector.reads:
            found.add(connector.reads[schema].mode)
        return frozenset(found)


def settings_of(connector: type[Connector]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of a connector's settings."""
    kind: type[Settings] = connector.Settings
    return {field.name: field for field in msgspec.structs.fields(kind)}


def expects(condition: bool, message: str) -> None:
    """For mistakes in how the kit is used: raise SettingsError."""
    if not condition:
        raise SettingsError(message, field="conformance kit", reason="bad-subject")
