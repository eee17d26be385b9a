"""Mutants that read wrongly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from samspil.connector import Connector, Page
from samspil.errors import Refused
from samspil.testing.mutants.mutant import made, mutant, texts

Base = type[Connector]


@mutant("keys_are_unique")
def repeats_a_key(base: Base) -> Base:
    """Gives the first record of each page twice."""
    return _paged(
        base, lambda page: page._replace(raws=[*page.raws, *page.raws[:1]], keys=[*page.keys, *page.keys[:1]])
    )


@mutant("keys_are_there")
def gives_empty_keys(base: Base) -> Base:
    """Gives a record without a key."""
    return _paged(base, lambda page: page._replace(keys=[b"", *page.keys[1:]] if page.keys else page.keys))


@mutant(
    "every_record_is_read",
    "the_counts_balance",
    "writing_does_not_disturb_reading",
)
def forgets_the_last_record(base: Base) -> Base:
    """Leaves out the last record, as after a mistake of one; after a write also the first."""
    wrote: list[str] = []

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        pages = list(base.read(self, schema, since))
        first = bool(wrote)
        for number, page in enumerate(pages):
            last = len(page.keys) - 1 if number == len(pages) - 1 else len(page.keys)
            start = 1 if first and number == 0 else 0
            yield page._replace(raws=page.raws[start:last], keys=page.keys[start:last])

    def write(self: Any, schema: str, batch: Any) -> Any:
        wrote.append(schema)
        return base.write(self, schema, batch)

    return made(base, read=read, **({"write": write} if base.writes else {}))


@mutant("what_is_read_is_what_the_system_has")
def shortens_texts(base: Base) -> Base:
    """Cuts texts to five characters."""
    return _decoded(base, lambda record: texts(record, lambda text: text[:5]))


@mutant("records_keep_to_their_contract")
def adds_a_field(base: Base) -> Base:
    """Hands on a field that nobody declared."""
    return _decoded(base, lambda record: {**record, "undeclared": "0101375000"})


@mutant("every_declared_field_is_seen", "what_is_read_is_what_the_system_has")
def leaves_fields_out(base: Base) -> Base:
    """Gives required fields only."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        required = {path.split(".")[0].removesuffix("[]") for path, one in base.fields(schema).items() if one.required}
        found = base.decode(self, schema, raws)
        return [
            one if isinstance(one, Refused) else {name: value for name, value in one.items() if name in required}
            for one in found
        ]

    return made(base, decode=decode)


@mutant(
    "two_reads_give_the_same",
    "a_second_night_sends_nothing",
    "a_second_night_after_writing_is_quiet",
    "one_change_sends_one_record",
    "the_order_of_two_writes_makes_no_difference",
)
def stamps_what_it_reads(base: Base) -> Base:
    """Puts the number of the read into what it reads, and of the write into what it writes."""
    numbers = itertools.count(1)

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        number = next(numbers)
        for page in base.read(self, schema, since):
            yield page._replace(raws=[b"%d\x00%b" % (number, raw) for raw in page.raws])

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        parts = [raw.partition(b"\x00") if b"\x00" in raw[:9] else (b"", b"", raw) for raw in map(bytes, raws)]
        found = base.decode(self, schema, [raw for _, _, raw in parts])
        return [
            one if isinstance(one, Refused) else _stamped(one, number.decode())
            for one, (number, _, _) in zip(found, parts, strict=True)
        ]

    def write(self: Any, schema: str, batch: Any) -> Any:
        changes = [one._replace(raw=msgspec.json.encode(_stamped(one.record, str(next(numbers))))) for one in batch]
        return base.write(self, schema, changes)

    members: dict[str, Any] = {"read": read, "decode": decode} if base.reads else {}
    return made(base, **members, **({"write": write} if base.writes else {}))


@mutant(
    "the_order_makes_no_difference",
    excused={
        "case_archive": "its system gives cases in the order of their changes",
        "data_warehouse": "it asks for its rows in order",
    },
)
def believes_in_order(base: Base) -> Base:
    """Stops at a key that is lower than the one before."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        before = b""
        for page in base.read(self, schema, since):
            count = 0
            for key in page.keys:
                if bytes(key) < before:
                    break
                before, count = bytes(key), count + 1
            yield page._replace(raws=page.raws[:count], keys=page.keys[:count])

    return made(base, read=read)


@mutant("danish_letters_survive")
def knows_a_to_z(base: Base) -> Base:
    """Reads every other letter as a question mark."""
    return _decoded(base, lambda record: texts(record, lambda text: text.encode("ascii", "replace").decode()))


@mutant("days_do_not_move", excused=dict.fromkeys(("company_list", "cpr_extract"), "its schema has no days"))
def knows_no_leap_day(base: Base) -> Base:
    """Takes 29 February for the day before."""
    return _decoded(base, _without_leap_day)


@mutant("decode_never_raises")
def decodes_all_or_nothing(base: Base) -> Base:
    """Raises at the first record that it cannot decode."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = base.decode(self, schema, raws)
        if any(isinstance(one, Refused) for one in found):
            raise ValueError("cannot decode")
        return found

    return made(base, decode=decode)


@mutant(
    "an_oversized_record_is_held_back",
    excused=dict.fromkeys(("jobcenter", "case_archive"), "its XSD refuses the record before"),
)
def cuts_what_is_too_long(base: Base) -> Base:
    """Cuts every text to fifty characters, keys too."""
    return _decoded(base, _cut)


def _paged(base: Base, change: Callable[[Page], Page]) -> Base:
    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        yield from (change(page) for page in base.read(self, schema, since))

    return made(base, read=read)


def _decoded(base: Base, change: Callable[[dict[str, Any]], Any]) -> Base:
    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        return [one if isinstance(one, Refused) else change(one) for one in base.decode(self, schema, raws)]

    return made(base, decode=decode)


def _stamped(record: dict[str, Any], stamp: str) -> dict[str, Any]:
    stamped: dict[str, Any] = texts(record, lambda text: f"{text} {stamp}" if stamp else text)
    return stamped


def _without_leap_day(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_leap_day(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_without_leap_day(below) for below in value]
    return leapless(value) if isinstance(value, str) else value


def leapless(text: str) -> str:
    """The text with 29 February 2028 a day earlier, in the spellings there are; 28 February begins at midnight UTC."""
    for day, before in (("2028-02-29", "2028-02-28"), ("2028-02-28T2", "2028-02-27T2"), ("29-02-2028", "28-02-2028")):
        if day in text:
            return text.replace(day, before)
    return text


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_cut(below) for below in value]
    return value[:50] if isinstance(value, str) else value
