"""Failing: what a busy, slow, strict or wandering system does to a connector."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from samspil.connector import Connector
from samspil.errors import Unavailable
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial, attempt

PATIENCE = 8.0  # seconds in which a wish to wait must be handed on
SILENCE = 4.0  # seconds that a silent system holds a call


@promise(needs={"http"})
def a_busy_system_is_unavailable(trial: Trial) -> None:
    """Statuses 429, 500, 502, 503 and 504 are Unavailable: to be tried again, by nobody's fault."""
    for status in (429, 500, 502, 503, 504):
        trial.quiet()
        trial.sandbox.faults.add(f"status:{status}", times=math.inf)
        outcome = attempt(trial.connector().check)
        require(outcome.error is not None, f"check was content with status {status}")
        require(isinstance(outcome.error, Unavailable), f"status {status} was {type(outcome.error).__name__}")


@promise(needs={"http"}, waits=True)
def retry_after_is_obeyed(trial: Trial) -> None:
    """A system that says to wait for a second is not called again within that second."""
    for status in (429, 503):
        trial.quiet()
        trial.sandbox.faults.add(f"status:{status}", retry_after=1)
        connector, start = trial.connector(), time.monotonic()
        outcome = attempt(connector.check)
        waited = time.monotonic() - start
        if outcome.error is None:
            require(waited >= 0.95, f"called again after {waited:.2f} s, with Retry-After 1 and status {status}")
        else:
            wish = getattr(outcome.error, "retry_after", None)
            require(wish == 1, f"gave up at status {status} without handing the system's wish on")


@promise(needs={"http"}, waits=True)
def a_long_retry_after_is_handed_on(trial: Trial) -> None:
    """A wish to wait for an hour, in seconds or as a date, is handed on at once and not slept through."""
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for wish in (3600, later):
        trial.quiet()
        trial.sandbox.faults.add("status:503", times=math.inf, retry_after=wish)
        start = time.monotonic()
        error = attempt(trial.connector().check).error
        require(isinstance(error, Unavailable), "status 503 was not Unavailable")
        require(time.monotonic() - start < PATIENCE, "it slept instead of handing the wish on")
        given = getattr(error, "retry_after", None) or 0
        require(3500 <= given <= 3700, f"an hour's wish became {given:.0f} s")


@promise(needs={"rate", "http"}, waits=True)
def the_rate_is_kept(trial: Trial) -> None:
    """With a rate in the settings there are never more calls a second than that."""
    connector = trial.connector(rate=20.0)
    connector.check()
    trial.quiet()
    start = time.monotonic()
    for _ in range(8):
        connector.check()
    took, calls = time.monotonic() - start, len(trial.sandbox.calls)
    require(took >= (calls - 1) / 20 * 0.9, f"{calls} calls in {took:.2f} s at a rate of 20 a second")


@promise(needs={"timeout", "network"}, waits=True)
def a_silent_system_is_given_up(trial: Trial) -> None:
    """A system that takes the call and says nothing is Unavailable when the time in the settings is over."""
    trial.sandbox.faults.add("timeout", times=math.inf, seconds=SILENCE)
    connector, start = trial.connector(timeout=0.2, attempts=1), time.monotonic()
    error = attempt(_first_call(trial, connector)).error
    require(time.monotonic() - start < SILENCE * 0.9, "it went on waiting")
    require(isinstance(error, Unavailable), f"a silent system was {type(error).__name__}")


@promise(needs={"timeout", "http"}, waits=True)
def a_dripping_answer_is_given_up(trial: Trial) -> None:
    """A system that gives a byte now and then holds nobody for longer than one that gives none."""
    trial.sandbox.faults.add("drip", times=math.inf, seconds=SILENCE)
    connector, start = trial.connector(timeout=0.4, attempts=1), time.monotonic()
    error = attempt(_first_call(trial, connector)).error
    require(time.monotonic() - start < SILENCE * 0.9, "it went on waiting for the rest")
    require(isinstance(error, Unavailable), f"a dripping answer was {type(error).__name__}")


@promise(needs={"http"})
def a_redirect_leads_nowhere(trial: Trial) -> None:
    """A redirect to another host is an error: credentials and persons go to no address that nobody agreed to."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        for status in (301, 302, 307, 308):
            trial.quiet()
            location = {"Location": f"{trial.account.conn_type}://127.0.0.1:{port}/"}
            trial.sandbox.faults.add(f"answer:{status}", times=math.inf, headers=location)
            connector = trial.connector(timeout=0.5, attempts=1)
            calls = [connector.check, _first_call(trial, connector)]
            calls += [partial(connector.write, schema, trial.puts(schema)) for schema in list(connector.writes)[:1]]
            for call in calls:
                outcome = attempt(call)
                require(all(to[1] != port for to in trial.watch.contacted), f"it followed a redirect with {status}")
                require(outcome.error is not None, f"it was content with status {status}")


@promise(needs={"http"})
def an_odd_status_is_an_error(trial: Trial) -> None:
    """A status that the contract does not know is an error, not a success without a body."""
    for status in (202, 204, 400, 402, 404, 405, 410, 418, 451):
        trial.quiet()
        trial.sandbox.faults.add(f"answer:{status}", times=math.inf)
        outcome = attempt(trial.connector().check)
        require(outcome.error is not None, f"check was content with status {status}")


@promise(needs={"network"})
def it_gives_up_in_the_end(trial: Trial) -> None:
    """However long the system stays busy, a call is tried a few times and then handed over to the night's retries."""
    trial.sandbox.faults.add("status:503", times=math.inf)
    trial.sandbox.calls.clear()
    attempt(_first_call(trial, trial.connector()))
    require(len(trial.sandbox.calls) <= 30, f"{len(trial.sandbox.calls)} calls before it gave up")


def _first_call(trial: Trial, connector: Connector) -> Callable[[], object]:
    """A read where there is one, as not every system is called by check alone; else check."""
    reads = trial.subject.connector.reads
    if not reads:
        return connector.check
    schema = next(iter(reads))
    return lambda: _raising(trial, schema, connector)


def _raising(trial: Trial, schema: str, connector: Connector) -> None:
    error = trial.read(schema, by=connector).error
    if error is not None:
        raise error
