"""Mutants that read less than there is, or more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from samspil.answer import require_usable
from samspil.connector import Connector, Page
from samspil.errors import Refused, SamspilError, Unavailable
from samspil.testing.mutants.mutant import made, mutant, swapped

Base = type[Connector]


@mutant("an_empty_source_is_fine")
def cannot_be_empty(base: Base) -> Base:
    """Takes an empty system for a fault."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        pages = list(base.read(self, schema, since))
        if since is None and not any(page.keys or page.rejected for page in pages):
            raise Unavailable("there is nothing", system="mutant")
        yield from pages

    return made(base, read=read)


@mutant(
    "the_page_size_makes_no_difference",
    "equal_times_lose_nothing",
    excused={"data_warehouse": "a read of so few rows is one page"},
)
def reads_one_page(base: Base) -> Base:
    """Stops after the first page, and says that it is done."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        pages = list(base.read(self, schema, since))
        yield from (page._replace(cursor=pages[-1].cursor) for page in pages[:1])

    return made(base, read=read)


@mutant(
    "a_server_error_never_ends_a_read",
    "a_lost_connection_never_ends_a_read",
    "a_cut_answer_never_ends_a_read",
    "garbage_never_ends_a_read",
    "an_empty_answer_never_ends_a_read",
    "a_repeated_page_is_noticed",
    "a_failed_read_deletes_nothing",
    "a_cut_read_deletes_nothing",
    "a_garbled_read_deletes_nothing",
    "a_fault_inside_status_200_is_an_error",
    "a_fault_with_status_500_says_what_it_is",
    "a_business_error_is_unavailable",
    "an_xml_bomb_is_harmless",
    "a_silent_system_is_given_up",
    needs="reads",
)
def stops_without_a_word(base: Base) -> Base:
    """Takes an error for the end, and leaves out what it cannot cut."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        try:
            for page in base.read(self, schema, since):
                yield page._replace(rejected=())
        except SamspilError:
            return

    return made(base, read=read)


@mutant("a_hiccup_costs_no_record", needs="http")
def stops_at_a_hiccup(base: Base) -> Base:
    """Reads a page less after any trouble on the way."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        troubles: list[int] = []

        def require(response: Any, label: str, **named: Any) -> None:  # a piece of the engine tells of each trouble
            if response.status_code >= 500:
                troubles.append(response.status_code)
            require_usable(response, label, **named)

        with swapped("samspil.http.require_usable", require):
            pages = list(_until_error(base.read(self, schema, since)))
        last = max((n for n, page in enumerate(pages) if page.keys), default=-1) if troubles else -1
        yield from (page for n, page in enumerate(pages) if n != last)

    return made(base, read=read)


@mutant(
    "broken_syntax_costs_no_other_record",
    "what_cannot_be_cut_deletes_nothing",
    excused=dict.fromkeys(("course_catalogue", "data_warehouse"), "what comes has syntax; the mapping refuses it"),
)
def drops_what_it_cannot_read(base: Base) -> Base:
    """Leaves out records that it cannot cut or decode, as if they were not there."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        for page in base.read(self, schema, since):
            found = base.decode(self, schema, page.raws)
            good = [n for n, one in enumerate(found) if not isinstance(one, Refused)]
            yield page._replace(raws=[page.raws[n] for n in good], keys=[page.keys[n] for n in good], rejected=())

    return made(base, read=read)


@mutant("what_is_gone_is_deleted", "what_is_gone_is_told")
def remembers_everything(base: Base) -> Base:
    """Gives from its memory what the system does not have any more."""
    seen: dict[tuple[str, bytes], bytes] = {}

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        now: set[bytes] = set()
        for page in base.read(self, schema, since):
            now |= {bytes(key) for key in page.keys}
            seen.update({(schema, bytes(key)): raw for key, raw in zip(page.keys, page.raws, strict=True)})
            yield page._replace(gone=())
        old = [(key, raw) for (of, key), raw in seen.items() if of == schema and key not in now and since is None]
        yield Page([raw for _, raw in old], [key for key, _ in old])

    return made(base, read=read)


def _until_error(pages: Iterator[Page]) -> Iterator[Page]:
    with suppress(SamspilError):
        yield from pages
