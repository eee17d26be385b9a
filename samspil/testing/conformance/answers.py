"""Answers that are dangerous, or that lie about how it went."""

from __future__ import annotations

import math
import secrets
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from samspil.errors import Unavailable
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.leaks.forms import leaks

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><a>&a9;</a>"
)
LONGEST = 5.0  # seconds


@promise(needs={"http"})
def an_xml_bomb_is_harmless(trial: Trial) -> None:
    """An answer whose entities grow a millionfold is told at once."""
    for call in _calls(trial):
        trial.quiet()
        trial.sandbox.faults.add("answer:200", times=math.inf, body=BOMB, headers={"Content-Type": "text/xml"})
        start = time.monotonic()
        require(attempt(call).error is not None, "an XML bomb was taken for an answer")
        require(time.monotonic() - start < LONGEST, "an XML bomb kept it busy")


@promise(needs={"http"})
def an_external_entity_is_not_read(trial: Trial) -> None:
    """An answer that names a file or an address of ours makes the connector open neither."""
    marker = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as stranger:
        file, port = Path(folder, "secret.txt"), stranger.getsockname()[1]
        file.write_text(marker, encoding="ascii")
        trial.watch.opened.clear()
        for address in (file.as_uri(), f"http://127.0.0.1:{port}/x"):
            body = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "{address}">]><a>&x;</a>'.encode()
            for call in _calls(trial):
                trial.quiet()
                trial.sandbox.faults.add("answer:200", times=math.inf, body=body, headers={"Content-Type": "text/xml"})
                error = attempt(call).error
                require(error is not None, "an answer with an external entity was taken")
                require(not leaks([marker], [str(error), *trial.watch.logged]), "a file of ours was read into an error")
        require(all(to[1] != port for to in trial.watch.contacted), "an address in an answer was called")
        require(str(file) not in trial.watch.opened, "a file named in an answer was opened")


@promise(needs={"fault-with-200"})
def a_fault_inside_status_200_is_an_error(trial: Trial) -> None:
    """A fault or business error in an answer with status 200 is an error like any other."""
    for call in _calls(trial):
        trial.quiet()
        trial.sandbox.faults.add("fault-with-200", times=math.inf)
        require(attempt(call).error is not None, "a fault inside status 200 was taken for success")


@promise(needs={"fault-with-500"})
def a_fault_with_status_500_says_what_it_is(trial: Trial) -> None:
    """A fault with status 500 is told by its own code, not as a status."""
    for call in _calls(trial):
        trial.quiet()
        trial.sandbox.faults.add("fault-with-500", times=math.inf)
        error = attempt(call).error
        require(error is not None, "a fault with status 500 was taken for success")
        require(error is not None and error.reason != "status-500", "the fault's own code was not read")


@promise(needs={"business-error"})
def a_business_error_is_unavailable(trial: Trial) -> None:
    """A business status that means that the system is ill is Unavailable, though status and format are fine."""
    for call in _calls(trial):
        trial.quiet()
        trial.sandbox.faults.add("business-error", times=math.inf)
        require(isinstance(attempt(call).error, Unavailable), "an inner error was not Unavailable")


@promise(needs={"http"})
def check_reads_the_answer(trial: Trial) -> None:
    """Check is not content with status 200 alone: a log-in page or an empty answer is no system of ours."""
    for body in (b"", b"\x00\xff\xfe{[<", b"<html><body>Log ind</body></html>"):
        trial.quiet()
        trial.sandbox.faults.add("answer:200", times=math.inf, body=body, headers={"Content-Type": "text/html"})
        require(attempt(trial.connector().check).error is not None, "check was content with an answer that is none")


def _calls(trial: Trial) -> list[Callable[[], object]]:
    """One read and one write, or check where there is neither."""
    kind = trial.subject.connector
    reads = [partial(_read, trial, schema) for schema in list(kind.reads)[:1]]
    return [*reads, *(partial(_write, trial, schema) for schema in list(kind.writes)[:1])]


def _write(trial: Trial, schema: str) -> None:
    """A write, whose problem is raised."""
    trial.connector().write(schema, trial.puts(schema))


def _read(trial: Trial, schema: str) -> None:
    """A read whose problem, in whichever form it is told, is raised."""
    reading = trial.read(schema)
    if reading.error is not None:
        raise reading.error
    for rejected in reading.rejected:
        raise rejected.error
