"""Other people's connectors: a Singer tap from PyPI, run as a process of its own, as a source.

The tap runs in its own virtual environment (the account's setting ``taps`` names the folder; else PATH), because taps
pin old libraries. Only what the catalog selects is read; only what the engine acknowledges becomes the next STATE.
See https://hub.meltano.com/singer/spec for the messages. A tap resumes at its replication key: what was committed
late with an older one is not found, so read whole tables where that can happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from samspil.connector import Connector, Field, Page, Reads
from samspil.declared.singer.catalog import Contract, streams
from samspil.declared.singer.declaration import TAPS, TIMEOUT, Declaration, Stream, declaration
from samspil.declared.singer.messages import Messages
from samspil.declared.singer.process import Oversized, Process, find
from samspil.declared.values import filled
from samspil.errors import Refused, SettingsError, Unavailable
from samspil.json import decoded

__all__ = ["SingerConnector", "connector"]

_LARGEST_CATALOG = 64 << 20  # bytes of a tap's own catalog: some systems have thousands of tables


class SingerConnector(Connector):
    """A declared tap; ``connector`` makes a subclass for each declaration."""

    told: ClassVar[Declaration]
    streams: ClassVar[Mapping[str, Stream]]
    contracts: ClassVar[Mapping[str, Contract]]

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return cls.contracts[schema].fields()

    def check(self) -> None:
        """Let the tap log in and list its streams, and compare them with the contract.

        Raises what a read would, and SettingsError (``contract-drift``) naming the property that is another now.
        """
        with closing(self._process().lines({"--config": self._config}, "--discover")) as lines:
            listing = b"".join(self._listing(lines))
        found = {
            entry.get("tap_stream_id", entry.get("stream")): entry
            for entry in streams(listing, f"the catalog that {self.told.tap} gives")
        }
        for schema, stream in self.streams.items():
            entry = found.get(stream.record)
            if entry is None:
                raise SettingsError(
                    f"{self.account.id}: {self.told.tap} has no such stream, or this account may not see it",
                    field=stream.record,
                    reason="contract-drift",
                )
            self.contracts[schema].require(entry.get("schema"), None)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """One run of the tap. A run that fails in any way raises: it never looks like records that are gone."""
        if schema not in self.reads:
            return super().read(schema, since)
        return self._pages(schema, since)

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        if schema not in self.reads:
            return super().decode(schema, raws)
        return decoded(raws)

    def _pages(self, schema: str, since: str | None) -> Iterator[Page]:
        told, contract = self.streams[schema], self.contracts[schema]
        files = {"--config": self._config, "--catalog": filled(contract.selected(), self.settings)}
        if since is not None and told.incremental:
            files["--state"] = _state(since)
        messages = Messages(told, contract, self.told.limits, system=self.account.id)
        with closing(self._process().lines(files)) as lines:  # an error in what it says ends the tap too
            yield from messages.pages(lines)

    @property
    def _config(self) -> Any:
        return filled(self.told.config, self.settings)

    def _process(self) -> Process:
        program = find(self.told.tap, getattr(self.settings, TAPS), system=self.account.id)
        limits, timeout = self.told.limits, getattr(self.settings, TIMEOUT)
        if timeout is not None:
            limits = replace(limits, silence=timeout)
        return Process(program, system=self.account.id, limits=limits, denied=self.told.denied)

    def _listing(self, blocks: Iterable[bytes | Oversized]) -> Iterator[bytes]:
        size = 0
        for block in blocks:
            data = block if isinstance(block, bytes) else block.start
            size += len(data)
            if size > _LARGEST_CATALOG:
                raise Unavailable("the tap's catalog does not end", system=self.account.id, reason="tap-incomplete")
            yield data + b"\n"


def connector(path: Path) -> type[Connector]:
    """The class a declaration describes. Raises SettingsError with the file and line that is wrong."""
    told, settings = declaration(path)
    by_schema = told.schemas
    name = path.parent.name.title().replace("_", "")
    contracts = {schema: Contract(path.with_name(told.catalog), stream) for schema, stream in by_schema.items()}
    reads = {
        schema: Reads(stream.record, "incremental" if stream.incremental else "snapshot")
        for schema, stream in by_schema.items()
    }
    return type(
        name,
        (SingerConnector,),
        {
            "__module__": __name__,
            "__doc__": told.title,
            "title": told.title,
            "Settings": settings,
            "reads": reads,
            "told": told,
            "streams": by_schema,
            "contracts": contracts,
        },
    )


def _state(since: str) -> bytes:
    """A cursor as the tap's state. Raises SettingsError if it is none: it was written by something else."""
    data = since.encode()
    try:
        msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise SettingsError("the cursor is no STATE of a tap", reason="bad-cursor") from None
    return data
