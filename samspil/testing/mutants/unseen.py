"""Mutants that tell persons, or leave things behind, where nobody looks at first."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import Refused, SamspilError
from samspil.testing.mutants.contract import UNSEEN
from samspil.testing.mutants.mutant import folder, made, mutant, strings

Base = type[Connector]
_LOG = logging.getLogger("samspil.testing.mutants.unseen")
ERRORS_AT_HTTP = "its system speaks SFTP, where status 500 is none of the answers"
NOT_OURS = {
    **dict.fromkeys(("journal_files", "company_list", "cpr_extract"), ERRORS_AT_HTTP),
    "course_catalogue": "its system is a process on this machine",
    "data_warehouse": UNSEEN,
    "database": UNSEEN,
}


@mutant("reading_tells_no_log_of_persons")
def logs_apart(base: Base) -> Base:
    """Logs every record with a logger that tells no other."""
    own = logging.getLogger("kit-mutant-apart")
    own.propagate = False
    own.addHandler(logging.NullHandler())
    own.setLevel(logging.DEBUG)
    return _telling(base, lambda text: own.debug("read %s", text))


@mutant("reading_tells_no_log_of_persons")
def logs_beside(base: Base) -> Base:
    """Puts every record beside its log messages, where other formatters look."""
    return _telling(base, lambda text: _LOG.info("read one", extra={"record_text": text}))


@mutant("reading_tells_no_log_of_persons", excused={"company_list": "it reads no person's number"})
def logs_a_hash(base: Base) -> Base:
    """Logs persons as plain hashes, which anybody can look up by trying all numbers."""

    def tell(text: str) -> None:
        _LOG.info("read %s", hashlib.sha256(text.encode()).hexdigest())

    return _telling(base, tell)


@mutant("reading_tells_no_log_of_persons")
def prints_underneath(base: Base) -> Base:
    """Prints every record past Python's own streams."""
    return _telling(base, lambda text: os.write(2, f"{text}\n".encode()))


@mutant("it_contacts_only_its_own_host")
def counts_by_datagram(base: Base) -> Base:
    """Sends its figures to a collector that nobody agreed to."""

    def check(self: Any) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
            collector.sendto(b"check:1|c", ("127.0.0.1", 9))
        base.check(self)

    return made(base, check=check)


@mutant("it_contacts_only_its_own_host")
def asks_for_its_maker(base: Base) -> Base:
    """Looks its maker's name up."""

    def check(self: Any) -> None:
        base.check(self)
        try:
            socket.getaddrinfo("maker.invalid", 443)
        except OSError:
            return

    return made(base, check=check)


@mutant("it_contacts_only_its_own_host")
def tells_its_maker_of_trouble(base: Base) -> Base:
    """Tells its maker what went wrong."""

    def check(self: Any) -> None:
        try:
            base.check(self)
        except SamspilError:
            with socket.socket() as home:
                home.settimeout(0.2)
                home.connect_ex(("127.0.0.1", 9))
            raise

    return made(base, check=check)


@mutant("closing_gives_everything_back", excused=NOT_OURS)
def forgets_a_connection_in_trouble(base: Base) -> Base:
    """Leaves a connection open when a call went wrong."""
    kept: list[socket.socket] = []

    def check(self: Any) -> None:
        try:
            base.check(self)
        except SamspilError:
            kept.append(socket.create_connection((self.account.host, self.account.port), 0.5))
            raise

    return made(base, check=check)


@mutant("it_leaves_the_process_as_it_was")
def changes_its_process(base: Base) -> Base:
    """Sets a time-out for every socket of the process, and leaves a thread behind."""

    def check(self: Any) -> None:
        base.check(self)
        socket.setdefaulttimeout(300)
        threading.Timer(2, int).start()

    return made(base, check=check)


@mutant("files_show_no_person", needs="page_size")
def keeps_what_it_had_at_a_failure(base: Base) -> Base:
    """Writes the pages that it had to a file when a read goes wrong."""
    kept = folder()

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        raws: list[bytes] = []
        try:
            for page in base.read(self, schema, since):
                raws += map(bytes, page.raws)
                yield page
        except SamspilError:
            (kept / "pages").write_bytes(b"".join(raws))
            raise

    return made(base, read=read)


@mutant("fetching_in_vain_shows_no_person")
def logs_what_it_cannot_fetch(base: Base) -> Base:
    """Logs what it has sent when it cannot be fetched back."""
    sent: list[bytes] = []

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        sent[:] = [one.raw for one in batch]
        return base.write(self, schema, batch)

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any] | None:
        try:
            return base.fetch(self, schema, their_id)
        except SamspilError:
            _LOG.warning("not found again: %s", sent)
            raise

    return made(base, write=write, fetch=fetch)


@mutant("fetching_in_vain_shows_no_person")
def fetches_nothing_in_trouble(base: Base) -> Base:
    """Says that there is no such record when it could not ask."""

    def fetch(self: Any, schema: str, their_id: str) -> dict[str, Any] | None:
        try:
            return base.fetch(self, schema, their_id)
        except SamspilError:
            return None

    return made(base, fetch=fetch)


def _telling(base: Base, tell: Callable[[str], object]) -> Base:
    """Tells every text of every record that it decodes."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = base.decode(self, schema, raws)
        for one in found:
            for text in () if isinstance(one, Refused) else strings(one):
                tell(text)
        return found

    return made(base, decode=decode)
