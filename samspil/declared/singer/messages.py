"""What a tap says, line by line: RECORDs cut out without decoding them, the other messages taken note of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from samspil.connector import Page, Rejected
from samspil.declared.singer.catalog import Contract
from samspil.declared.singer.declaration import Limits, Stream
from samspil.declared.singer.process import Oversized
from samspil.errors import Refused, SamspilError, SettingsError, Unavailable

_MOST_GARBAGE = 100  # lines that are no messages; a tap that prints more is not speaking Singer
_PAGE = 500  # records
_BYTES = 1 << 20  # of one page, unless a single record is larger
_DAMAGED = (msgspec.MsgspecError, RecursionError, ValueError)  # ValueError: bytes that are not UTF-8


class _Message(msgspec.Struct, gc=False):
    """Every message's fields that matter. A record stays the bytes it came as."""

    type: str
    stream: str = ""
    record: msgspec.Raw = msgspec.Raw()
    schema: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    version: int | None = None
    key_properties: list[str] | None = None


_DECODER = msgspec.json.Decoder(_Message)
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Gathered:
    """What is to be the next page: a tap writes line by line, and pages of one record each would be slow."""

    def __init__(self) -> None:
        self.raws: list[bytes] = []
        self.rejected: list[Rejected] = []
        self._size = 0

    def add(self, raw: bytes) -> None:
        self.raws.append(raw)
        self._size += len(raw)

    def reject(self, line: Rejected) -> None:
        self.rejected.append(line)

    @property
    def is_full(self) -> bool:
        return len(self.raws) >= _PAGE or self._size >= _BYTES


class Messages:
    """One read of one stream. ``pages`` may be iterated once.

    Raises SettingsError if the tap speaks of another stream, of batches or of another schema than the contract's, and
    Unavailable if it never came to the stream or to its end.
    """

    def __init__(self, told: Stream, contract: Contract, limits: Limits, *, system: str) -> None:
        self._told, self._contract, self._limits, self._system = told, contract, limits, system
        fields: list[Any] = [(f"k{n}", str | int, msgspec.field(name=name)) for n, name in enumerate(told.keys)]
        if told.incremental and told.incremental.mark:
            fields.append(("gone", Any, msgspec.field(name=told.incremental.mark, default=None)))
        self._keyed: msgspec.json.Decoder[Any] = msgspec.json.Decoder(msgspec.defstruct("Keyed", fields))
        self._names = contract.entry.get("stream", told.record), told.record
        self._message_name = ""
        self._whole = False  # nothing came after the message that says that all came
        self._versions: set[int | None] = set()
        self._resumable = False  # a STATE came
        self._garbage = 0

    def pages(self, lines: Iterable[bytes | Oversized]) -> Iterator[Page]:
        """Pages of some hundred records; a STATE of an incremental read is the cursor of the page it ends."""
        cursor = None
        gathered = _Gathered()
        for block in lines:
            for item in _decoded(block):
                if isinstance(item, Rejected):
                    self._count_garbage()
                    gathered.reject(item)
                elif item.type == "RECORD":
                    self._require_schema(item.stream)
                    self._whole = False
                    self._versions.add(item.version)
                    gathered.add(bytes(item.record))
                elif item.type == "STATE":
                    cursor = self._cursor(item)
                elif not self._note(item):
                    self._count_garbage()
                    gathered.reject(Rejected(item.type.encode(), Refused("not-singer", hint="no message of that type")))
                if gathered.is_full or cursor is not None:
                    yield self._page(gathered, cursor)
                    self._resumable = self._resumable or cursor is not None
                    gathered, cursor = _Gathered(), None
        if gathered.raws or gathered.rejected:
            yield self._page(gathered, None)
        self._require_end()

    def _note(self, message: _Message) -> bool:
        """A SCHEMA or ACTIVATE_VERSION; False if it is no message of the specification."""
        if message.type == "SCHEMA":
            if message.stream not in self._names and not self._is_named(message.stream):
                raise self._other_stream()
            self._contract.require(_json(message.schema), message.key_properties)
            self._message_name = message.stream
        elif message.type == "ACTIVATE_VERSION":
            self._require_schema(message.stream)
            self._whole = self._versions <= {message.version}
        elif message.type == "BATCH":
            raise SettingsError(
                f"{self._system}: the tap gives files (BATCH); turn that off in its config",
                field=self._told.record,
                reason="tap-batch",
            )
        else:
            return False
        return True

    def _is_named(self, name: str) -> bool:
        """Some taps put the database's schema before the stream's name; they say so in the catalog."""
        names = [item.get("metadata", {}).get("schema-name") for item in self._contract.entry.get("metadata", ())]
        return any(name == f"{before}-{self._names[0]}" for before in names if before)

    def _require_schema(self, name: str) -> None:
        if name != self._message_name or not name:
            raise self._other_stream() if self._message_name else self._unfinished("sent records before their SCHEMA")

    def _cursor(self, message: _Message) -> str | None:
        value = bytes(message.value)
        if not isinstance(_json(value), dict):
            raise self._unfinished("sent a STATE that is no object")
        if len(value) > self._limits.state:
            limit = f"{self._limits.state} bytes"
            raise SamspilError(f"{self._system}: the tap's STATE is larger than {limit}", reason="state-too-large")
        return value.decode() if self._told.incremental else None

    def _page(self, gathered: _Gathered, cursor: str | None) -> Page:
        page = Page([], [], gathered.rejected, [], cursor)
        for whole in gathered.raws:
            raw = whole
            try:
                if self._contract.left_out:
                    raw = self._without(whole)
                key, gone = self._key(raw)
            except _DAMAGED:
                gathered.reject(Rejected(raw, Refused("no-key")))
                continue
            if gone:
                cast("list[bytes]", page.gone).append(key)
            else:
                cast("list[bytes]", page.raws).append(raw)
                cast("list[bytes]", page.keys).append(key)
        return page

    def _key(self, raw: bytes) -> tuple[bytes, bool]:
        """A record's key, and whether it is deleted. Raises ValueError if it has none."""
        *parts, flag = (*msgspec.structs.astuple(self._keyed.decode(raw)), None)[: len(self._told.keys) + 1]
        if "" in parts:
            raise ValueError
        key = str(parts[0]).encode() if len(parts) == 1 else msgspec.json.encode(parts)
        return key, flag not in (None, False)

    def _without(self, raw: bytes) -> bytes:
        """A record without the properties that nobody agreed to read."""
        record = _PARTS.decode(raw)
        for name in self._contract.left_out:
            record.pop(name, None)
        return msgspec.json.encode(record)

    def _count_garbage(self) -> None:
        self._garbage += 1
        if self._garbage > _MOST_GARBAGE:
            raise self._unfinished(f"said more than {_MOST_GARBAGE} lines that are no messages")

    def _require_end(self) -> None:
        if not self._message_name:
            raise self._unfinished("ended without a SCHEMA of the stream")
        if self._told.listing.version and not self._whole:
            raise self._unfinished("ended without ACTIVATE_VERSION after the last record")
        if self._told.incremental and not self._resumable:
            raise self._unfinished("ended without a STATE")

    def _unfinished(self, how: str) -> Unavailable:
        return Unavailable(f"{self._told.record}: the tap {how}", system=self._system, reason="tap-incomplete")

    def _other_stream(self) -> SettingsError:
        return SettingsError(
            f"{self._system}: the tap gives a stream that was not selected",
            field=self._told.record,
            reason="tap-other-stream",
        )


def _decoded(block: bytes | Oversized) -> Iterator[_Message | Rejected]:
    if isinstance(block, Oversized):
        yield Rejected(block.start, Refused("record-too-large", hint="only the line's beginning is kept"))
        return
    try:
        yield from _DECODER.decode_lines(block)
    except _DAMAGED:
        pass
    else:
        return
    for line in block.split(b"\n"):
        if line.strip():
            try:
                yield _DECODER.decode(line)
            except _DAMAGED:
                yield Rejected(line, Refused("not-singer", hint="the line is no Singer message"))


def _json(raw: msgspec.Raw | bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except _DAMAGED:
        return None
