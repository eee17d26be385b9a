"""Mutants that are right every day, and wrong at an edge: the hundredth page, the second hour, the last letter."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec
import requests

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import AccessError, Refused, SamspilError, SettingsError
from samspil.http import Session
from samspil.testing.mutants.mutant import engine, made, mutant, swapped

Base = type[Connector]
BOUND = 1_900  # characters


@mutant("an_odd_status_never_ends_a_read", needs="reads")
def ends_without_access(base: Base) -> Base:
    """Takes a log-in that ran out, and a list that is not found, for the end."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        try:
            yield from base.read(self, schema, since)
        except (AccessError, SettingsError, Refused):
            return

    return made(base, read=read)


@mutant("a_page_that_always_comes_again_is_told")
def asks_until_it_gets_another(base: Base) -> Base:
    """Begins again whenever a page comes again."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for _ in range(1_000):
            try:
                yield from base.read(self, schema, since)
            except SamspilError:
                continue
            return

    return made(base, read=read)


@mutant("many_pages_are_read")
def reads_a_hundred_pages(base: Base) -> Base:
    """Stops at the hundredth page, so as not to go on for ever."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        yield from itertools.islice(base.read(self, schema, since), 100)

    return made(base, read=read)


@mutant("pages_are_handed_on_as_they_come")
def gathers_its_pages(base: Base) -> Base:
    """Reads everything before it gives anything."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        yield from list(base.read(self, schema, since))

    return made(base, read=read)


@mutant("keys_of_all_letters_are_read")
def knows_keys_of_a_to_z(base: Base) -> Base:
    """Leaves out records whose key has another letter."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for page in base.read(self, schema, since):
            kept = [n for n, key in enumerate(page.keys) if bytes(key).isascii()]
            yield page._replace(raws=[page.raws[n] for n in kept], keys=[page.keys[n] for n in kept])

    return made(base, read=read)


@mutant("long_texts_are_whole", "long_texts_are_whole_in_writing", only="reference")
def has_room_for_less(base: Base) -> Base:
    """Cuts texts where its own column ends."""
    return _both(base, lambda text: text[:BOUND])


@mutant("days_do_not_move", "days_do_not_move_in_writing", only="reference")
def has_one_hour_at_night(base: Base) -> Base:
    """Takes the second of two hours in the autumn night for the first."""
    return _both(base, lambda text: text.replace("T02:30:00+01:00", "T02:30:00+02:00"))


@mutant("days_do_not_move", "days_do_not_move_in_writing", only="reference")
def knows_no_midnight(base: Base) -> Base:
    """Takes midnight for a day without an hour, and gives it noon."""
    return _both(base, lambda text: re.sub(r"T00:00:00\+0", "T12:00:00+0", text))


@mutant("letters_and_signs_survive_writing", only="reference")
def writes_one_line(base: Base) -> Base:
    """Writes a text of many lines as one."""
    return _both(base, lambda text: " ".join(text.split()))


@mutant("letters_and_signs_survive_writing", only="reference")
def writes_two_bytes_a_letter(base: Base) -> Base:
    """Writes a question mark for every sign beyond the first 65,536."""
    return _both(base, lambda text: "".join(sign if ord(sign) < 1 << 16 else "?" for sign in text))


@engine("an_unknown_certificate_is_not_trusted")
@contextmanager
def believes_any_certificate() -> Iterator[None]:
    """Takes every certificate for the system's."""
    plain = requests.Session.request

    def request(self: Any, method: str, url: str, **options: Any) -> Any:
        return plain(self, method, url, **{**options, "verify": False})

    with patch.object(requests.Session, "request", request):
        yield


@engine("a_dripping_answer_is_given_up")
def waits_for_every_drop() -> AbstractContextManager[Any]:
    """Is content as long as a byte comes now and then."""
    return swapped("samspil.http.watched", lambda response, _timeout: response)


@engine("addresses_show_no_person")
@contextmanager
def says_whom_it_is_about() -> Iterator[None]:
    """Names the person of a call in a header."""
    once = Session._once  # noqa: SLF001 - a piece of the engine is broken on purpose

    def named(self: Any, method: str, url: str, label: str, **call: Any) -> Any:
        person = re.search(rb'"cpr":"([^"]*)"', call["data"] or b"")
        headers = {**(call["headers"] or {}), **({"X-About": person[1].decode()} if person else {})}
        return once(self, method, url, label, **{**call, "headers": headers})

    with patch.object(Session, "_once", named):
        yield


def _both(base: Base, change: Callable[[str], str]) -> Base:
    """Reads and writes every text changed."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = base.decode(self, schema, raws)
        return [one if isinstance(one, Refused) else _changed(one, change) for one in found]

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        changed = [one._replace(raw=msgspec.json.encode(_changed(one.record, change))) for one in batch]
        return base.write(self, schema, changed)

    return made(base, decode=decode, write=write)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _changed(below, change) for name, below in value.items()}
    if isinstance(value, list):
        return [_changed(below, change) for below in value]
    return change(value) if isinstance(value, str) else value
