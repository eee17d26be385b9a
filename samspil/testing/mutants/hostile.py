"""The three connectors that the kits of today pass, rewritten for our contract."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import Refused
from samspil.testing.mutants.mutant import made, mutant

Base = type[Connector]


@mutant("keys_are_unique", "the_cursor_is_used", "every_record_is_read", only="reference")
def hostile_tap(base: Base) -> Base:
    """A tap that gives its first record three times and its second once, moves its cursor back and ignores its state."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        del since
        pages = list(base.read(self, schema))
        cursors = [page.cursor for page in pages][::-1]
        for page, cursor in zip(pages, cursors, strict=True):
            raws, keys = list(page.raws[:2]), list(page.keys[:2])
            yield page._replace(raws=raws[:1] * 2 + raws, keys=keys[:1] * 2 + keys, cursor=cursor, gone=())

    return made(base, read=read)


@mutant(
    "what_is_written_is_held",
    "what_is_read_back_is_what_was_sent",
    "a_receipt_for_every_record",
    "a_refusal_says_why",
    only="reference",
)
def hostile_target(base: Base) -> Base:
    """A target that throws every record away and says thank you."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        del self, schema
        return [Receipt(one.their_id or str(uuid.uuid4()), "tak") for one in batch]

    return made(base, write=write)


@mutant(
    "keys_are_unique",
    "a_read_gives_a_cursor",
    "records_keep_to_their_contract",
    "reading_tells_no_log_of_persons",
    only="reference",
)
def hostile_source(base: Base) -> Base:
    """A source with duplicate keys and no state, and with a CPR number in an undeclared field and in the log."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        del since
        for page in base.read(self, schema):
            yield page._replace(raws=[*page.raws, *page.raws], keys=[*page.keys, *page.keys], cursor=None)

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = list(base.decode(self, schema, raws))
        for one in found:
            if not isinstance(one, Refused):
                one["_person"] = one.get("cpr")
                logging.getLogger("source").info("record of %s", one.get("cpr"))
        return found

    return made(base, read=read, decode=decode)
