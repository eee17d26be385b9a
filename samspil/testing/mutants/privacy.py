"""Mutants that tell of persons and secrets."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import requests

from samspil.connector import Change, Connector, Page, Receipt
from samspil.errors import AccessError, Refused, SamspilError, Unavailable
from samspil.http import Session
from samspil.testing.mutants.mutant import engine, folder, made, mutant, strings

Base = type[Connector]
_LOG = logging.getLogger("mutant")


@mutant("reading_tells_no_log_of_persons")
def logs_what_it_reads(base: Base) -> Base:
    """Writes every record to its log, at level DEBUG, in hexadecimal."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        for raw in raws:
            _LOG.debug("read %s", bytes(raw).hex())
        return base.decode(self, schema, raws)

    return made(base, decode=decode)


@mutant("writing_tells_no_log_of_persons", "a_wrong_secret_is_not_shown_either")
def prints_what_it_writes(base: Base) -> Base:
    """Prints every record in base64, and logs the password."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        print([base64.b64encode(one.raw) for one in batch], file=sys.stderr)
        return base.write(self, schema, batch)

    def check(self: Any) -> None:
        _LOG.debug("logging in as %s", self.account.password)
        base.check(self)

    return made(base, check=check, **({"write": write} if base.writes else {}))


@mutant("errors_in_reading_show_no_person", excused={"course_catalogue": "its tap fails before it gives anything"})
def raises_what_it_read(base: Base) -> Base:
    """Shows the page before in the cause of an error."""

    def read(self: Any, schema: str, since: str | None = None) -> Iterator[Page]:
        last: Any = ["".join(strings(one)) for one in _sample(base, self, schema)]
        try:
            for page in base.read(self, schema, since):
                last = page.raws or last
                yield page
        except SamspilError as error:
            raise error from ValueError(f"after {last!r}")

    return made(base, read=read)


@mutant("refusals_in_reading_show_no_person", "what_the_steps_hand_on_shows_no_person")
def refuses_with_the_value(base: Base) -> Base:
    """Says which value it refuses."""

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = list(base.decode(self, schema, raws))
        required = [path for path, one in base.fields(schema).items() if one.required and "." not in path]
        for n, one in enumerate(found):
            lacking = not isinstance(one, Refused) and any(one.get(name) is None for name in required)
            if isinstance(one, Refused) or lacking:
                shown = bytes(raws[n]).decode("latin-1").encode("latin-1").decode("utf-8", "replace")
                found[n] = Refused(f"bad-{shown}", hint=shown)
        return found

    return made(base, decode=decode)


@mutant("errors_in_writing_show_no_person")
def raises_what_it_wrote(base: Base) -> Base:
    """Shows the record in its refusals and errors."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        try:
            receipts = base.write(self, schema, batch)
        except Unavailable as error:
            raise Unavailable(f"could not send {[one.record for one in batch]}", system="mutant") from error
        return [
            one._replace(refused=Refused("bad-value", hint=str(change.record))) if one.refused else one
            for one, change in zip(receipts, batch, strict=True)
        ]

    return made(base, write=write)


@engine("a_system_that_quotes_is_not_quoted")
@contextmanager
def quotes_the_answer() -> Iterator[None]:
    """Writes what the system answered to the log."""
    once = Session._once  # noqa: SLF001 - a piece of the engine is broken on purpose

    def quoted(self: Any, *arguments: Any, **options: Any) -> Any:
        plain = requests.Session.request

        def request(session: Any, *more: Any, **others: Any) -> Any:
            response = plain(session, *more, **others)
            _LOG.debug("answered %s", response.text)
            return response

        with patch.object(requests.Session, "request", request):
            return once(self, *arguments, **options)

    with patch.object(Session, "_once", quoted):
        yield


@mutant("addresses_show_no_person", "secrets_stay_out_of_addresses", needs="plain-http")
def asks_by_address(base: Base) -> Base:
    """Looks a person up by an address, with the key in it."""

    def ask(self: Any, record: Any) -> None:
        said = {f"q{n}": text for n, text in enumerate(strings(record))}
        with suppress(requests.RequestException):
            requests.get(self.account.url, params={**said, "key": self.account.password}, timeout=1)

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        for one in batch[:1]:
            ask(self, one.record)
        return base.write(self, schema, batch)

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = base.decode(self, schema, raws)
        ask(self, next((one for one in found if not isinstance(one, Refused)), {}))
        return found

    return made(base, **({"write": write} if base.writes else {}), **({"decode": decode} if base.reads else {}))


@mutant("files_show_no_person")
def leaves_a_file(base: Base) -> Base:
    """Keeps what it reads and writes in a temporary file."""
    kept = folder()

    def keep(data: bytes) -> None:
        (kept / "last.bin").write_bytes(data)

    return _telling(base, keep)


@mutant("processes_show_no_person")
def starts_a_process(base: Base) -> Base:
    """Hands a record to another program on its command line."""

    def tell(data: bytes) -> None:
        subprocess.run(["/bin/true", data.replace(b"\0", b" ")[:50_000]], check=True)  # noqa: S603 - a mutant

    return _telling(base, tell)


@mutant("nothing_shows_a_secret")
def shows_its_settings(base: Base) -> Base:
    """Shows its settings when it is printed, and its account when it fails."""

    def shown(self: Any) -> str:
        return f"{base.__name__}({self.account.password} {self.account.extra})"

    return made(base, __repr__=shown)


@mutant("nothing_shows_a_secret", "a_wrong_secret_is_not_shown_either", needs="network")
def tells_the_password(base: Base) -> Base:
    """Says in its errors what it logged in with, in base64."""

    def check(self: Any) -> None:
        try:
            base.check(self)
        except SamspilError:
            used = base64.b64encode(f"{self.account.password} {self.account.extra}".encode()).decode()
            raise AccessError(f"not let in with {used}", system="mutant") from None

    return made(base, check=check)


@mutant("the_store_shows_no_person_of_a_target")
def refers_by_person(base: Base) -> Base:
    """Gives a reference with the person in it."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        pairs = zip(batch, base.write(self, schema, batch), strict=True)
        return [one._replace(reference=change.raw.decode()) for change, one in pairs]

    return made(base, write=write)


def _sample(base: Base, connector: Any, schema: str) -> Sequence[Any]:
    """A few records from a read without faults, kept at the class; none while there are faults."""
    kept: dict[str, Any] = _SAMPLES.setdefault(base, {})
    if schema not in kept:
        with suppress(SamspilError):
            page = next(iter(base.read(connector, schema)), Page([], []))
            kept[schema] = [one for one in base.decode(connector, schema, page.raws) if not isinstance(one, Refused)]
    found: Sequence[Any] = kept.get(schema, ())
    return found


_SAMPLES: dict[Any, dict[str, Any]] = {}


def _telling(base: Base, tell: Any) -> Base:
    """Tells of every first record read, as text, and of every first one written."""

    def write(self: Any, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        for one in batch[:1]:
            tell(" ".join(strings(one.record)).encode())
        return base.write(self, schema, batch)

    def decode(self: Any, schema: str, raws: Sequence[bytes]) -> Any:
        found = base.decode(self, schema, raws)
        for one in [one for one in found if not isinstance(one, Refused)][:1]:
            tell(" ".join(strings(one)).encode())
        return found

    return made(base, **({"write": write} if base.writes else {}), **({"decode": decode} if base.reads else {}))
