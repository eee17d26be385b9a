"""The lists that the sandbox shows, a page at a time. A record of broken syntax has a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from connectors.jobcenter.contract import NAMESPACE, PREFIX, RECORDS
from connectors.jobcenter.words import WORDS, damaged, rendered
from samspil.testing.world import World

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
RETURN = b"<jc:StandardRetur><jc:StatusKode>%s</jc:StatusKode></jc:StandardRetur>"


class Pages:
    """What a world's schema looks like on a night, in pages of any size."""

    def __init__(self, world: World, schema: str, night: int) -> None:
        broken = world.broken(schema, night)
        words = WORDS[schema]
        self._records: dict[str, bytes] = {}
        self._broken: list[bytes] = []
        for fact in world.records(schema, night):
            key, record = fact["id"], words(fact)
            if broken.get(key) == "broken-syntax":
                self._broken.append(damaged(schema, record, "broken-syntax"))
            elif key in broken:
                self._records[key] = damaged(schema, record, broken[key])
            else:
                self._records[key] = rendered(RECORDS[schema], record)
        self._schema = schema
        self._list = list(self._records.values())

    def page(self, number: int, size: int) -> bytes:
        """Page ``number`` from 1 as a whole answer; one after the last is empty. Broken records come second."""
        pages = [self._list[at : at + size] for at in range(0, len(self._list), size)]
        pages[1:1] = [[one] for one in self._broken]
        total = len(self._list) + len(self._broken)
        return answer(
            f"{RECORDS[self._schema]}HentResponse",
            pages[number - 1] if number <= len(pages) else [],
            total=total,
            more=number < len(pages),
        )

    def one(self, key: str) -> bytes | None:
        """One record, as a whole answer."""
        found = self._records.get(key)
        return None if found is None else answer(f"{RECORDS[self._schema]}HentResponse", [found])


def answer(
    name: str, inner: Iterable[bytes], *, code: str = "20", total: int | None = None, more: bool = False
) -> bytes:
    """A SOAP answer called ``name`` with a business status."""
    counts = b"<jc:AntalIAlt>%d</jc:AntalIAlt><jc:FlereSider>%s</jc:FlereSider>" % (
        total or 0,
        b"true" if more else b"false",
    )
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body>'.encode(),
            f'<{PREFIX}:{name} xmlns:{PREFIX}="{NAMESPACE}">'.encode(),
            RETURN % code.encode(),
            *inner,
            counts if total is not None else b"",
            f"</{PREFIX}:{name}></soap:Body></soap:Envelope>".encode(),
        )
    )


def write_bulk(folder: Path, schema: str, records: Callable[[int], bytes], count: int, *, size: int = 1000) -> None:
    """Answers for ``count`` records, a file per page, to be served without rendering (``bulk`` of the sandbox).

    ``records(number)`` is a record's XML, for numbers from 0.
    """
    name = f"{RECORDS[schema]}HentResponse"
    for page, start in enumerate(range(0, count, size), 1):
        end = min(start + size, count)
        inner = (records(number) for number in range(start, end))
        bulk_file(folder, schema, page).write_bytes(answer(name, inner, total=count, more=end < count))


def bulk_file(folder: Path, schema: str, page: int) -> Path:
    """Where a page of a bulk folder lies."""
    return folder / f"{RECORDS[schema]}-{page:05}.xml"
