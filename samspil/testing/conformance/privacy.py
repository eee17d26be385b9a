"""Privacy: persons and secrets turn up in records and nowhere else, in whatever spelling."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from samspil.errors import Refused
from samspil.testing.conformance.persons import planted
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.screen import screen_of
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.conformance.world import damages
from samspil.testing.conformance.writing import lacking_a_field
from samspil.testing.leaks.forms import leaks
from samspil.testing.leaks.told import told

T = TypeVar("T")

_FAULTS = ("status:500", "garbage", "truncate", "lost-answer")


@promise("read")
def reading_tells_no_log_of_persons(trial: Trial, schema: str) -> None:
    """Reading, decoding and mapping write no person to a log, at any level, nor to the screen."""
    with screen_of() as screen:
        trial.ours(schema, trial.whole(schema).raws)
        _damaged(trial, schema)
    _silent(trial, schema, [*trial.watch.logged, screen.getvalue()], "logs or screen")


@promise("write")
def writing_tells_no_log_of_persons(trial: Trial, schema: str) -> None:
    """Writing, refusals included, writes no person to a log, at any level, nor to the screen."""
    with screen_of() as screen:
        _written(trial, schema)
    _silent(trial, schema, [*trial.watch.logged, screen.getvalue()], "logs or screen")


@promise("read")
def errors_in_reading_show_no_person(trial: Trial, schema: str) -> None:
    """No error of a read has a person in its message, its fields or its traceback."""
    texts = []
    for reading in _troubled(trial, lambda: trial.read(schema, page_size=2)):
        texts += [] if reading.error is None else [told(reading.error)]
        texts += [told(one.error) for one in reading.rejected]
    _silent(trial, schema, texts, "errors")


@promise("read")
def refusals_in_reading_show_no_person(trial: Trial, schema: str) -> None:
    """What is refused at reading is refused without its values: reason, field and hint have no person."""
    _silent(trial, schema, _damaged(trial, schema), "refusals")


@promise("write")
def errors_in_writing_show_no_person(trial: Trial, schema: str) -> None:
    """No error or refusal of a write has a person in its message, its fields or its traceback."""
    _silent(trial, schema, _written(trial, schema), "errors or refusals")


@promise("write", needs={"fetch", "http"})
def fetching_in_vain_shows_no_person(trial: Trial, schema: str) -> None:
    """A record that cannot be fetched back is told without what was sent, in error and log; it is never called none."""
    connector = trial.connector()
    ids = [receipt.their_id for receipt in trial.write(schema, trial.puts(schema), by=connector)]
    texts = []
    for fault in (*_FAULTS, "status:403"):
        trial.quiet()
        trial.sandbox.faults.add(fault, times=math.inf)
        outcome = attempt(lambda: connector.fetch(schema, ids[0] or ""))
        require(outcome.error is not None, f"under {fault}, what could not be fetched was taken for an answer")
        texts += [] if outcome.error is None else [told(outcome.error)]
    _silent(trial, schema, [*texts, *trial.watch.logged], "errors or logs")


@promise("write", needs={"http"})
def a_system_that_quotes_is_not_quoted(trial: Trial, schema: str) -> None:
    """When the system's own error repeats the record, as real ones do, no error or log of ours repeats it."""
    values = sorted(planted(trial, schema))
    quote = json.dumps({"error": values}, ensure_ascii=False)
    for status in (200, 400, 409, 422, 500):
        trial.quiet()
        fault = f"<e><faultstring>{' '.join(values)}</faultstring></e>" if status == 500 else quote
        trial.sandbox.faults.add(f"answer:{status}", times=math.inf, body=fault.encode())
        texts = _attempted(lambda: trial.connector().write(schema, trial.puts(schema)))
        _silent(trial, schema, [*texts, *trial.watch.logged], f"what came of an answer {status}")


@promise(needs={"network"})
def addresses_show_no_person(trial: Trial) -> None:
    """No address, query string or header has a person in it: they end in the logs of everybody on the way."""
    kind, values = trial.subject.connector, set[str]()
    for schema in kind.reads:
        values |= planted(trial, schema)
        trial.read(schema)
    for schema in kind.writes:
        values |= planted(trial, schema)
        _written(trial, schema)
    found = leaks(values, [*trial.sandbox.calls, *trial.sandbox.queries, *trial.sandbox.headers])
    require(not found, f"addresses or headers show {found} values of persons")


@promise()
def files_show_no_person(trial: Trial) -> None:
    """No file that the connector writes has a person or a secret in its name or in it."""
    trial.watch.written.clear()
    values = _everything(trial) | set(trial.secrets)
    for schema in list(trial.subject.connector.reads)[:1]:
        for _ in _troubled(trial, lambda: trial.read(schema, page_size=2)):  # noqa: B023 - called at once
            pass
    names = [name for name in trial.watch.written if not name.startswith(("/dev/", "/proc/"))]
    found = leaks(values, names)
    require(not found, f"file names show {found} values")
    paths = [Path(name) for name in names]
    inside = [path.read_bytes() for path in paths if path.is_file() and not trial.sandbox.owns(path)]
    found = leaks(values, inside)
    require(not found, f"{len(inside)} files were left behind, with {found} values of persons or secrets in them")


@promise()
def processes_show_no_person(trial: Trial) -> None:
    """No argument of a process and no environment variable has a person or a secret: everybody can list them."""
    before = dict(os.environ)
    values = _everything(trial) | set(trial.secrets)
    new = [text for name, text in os.environ.items() if before.get(name) != text]
    found = leaks(values, [*trial.watch.started, *new])
    require(not found, f"arguments or environment show {found} values")


@promise(needs={"secrets"})
def nothing_shows_a_secret(trial: Trial) -> None:
    """Whatever happens, no log, error, representation or screen has a secret of the account."""
    with screen_of() as screen:
        connector = trial.connector()
        shown = [repr(connector), str(connector), repr(connector.settings), repr(trial.account)]
        texts = _attempted(connector.check)
        for fault in _FAULTS:
            trial.quiet()
            trial.sandbox.faults.add(fault, times=math.inf)
            texts += _attempted(trial.connector().check)
            for schema in list(connector.reads)[:1]:
                error = trial.read(schema).error
                texts += [] if error is None else [told(error)]
        trial.quiet()
        _everything(trial)
        trial.sandbox.stop()
        texts += _attempted(trial.connector().check)
    found = leaks(trial.secrets, [*shown, *texts, *trial.watch.logged, screen.getvalue()])
    require(not found, f"{found} secrets are shown")


@promise(needs={"network", "password"})
def a_wrong_secret_is_not_shown_either(trial: Trial) -> None:
    """A password that the system refuses, often last year's, is not in the error nor in a log."""
    wrong = "not-the-password-0"
    texts = _attempted(trial.connector(replace(trial.account, password=wrong)).check)
    require(not leaks([wrong], [*texts, *trial.watch.logged]), "the password that was refused is shown")


@promise(needs={"secrets", "network"})
def secrets_stay_out_of_addresses(trial: Trial) -> None:
    """No secret is sent in an address or a query string."""
    _everything(trial)
    found = leaks(trial.secrets, [*trial.sandbox.calls, *trial.sandbox.queries])
    require(not found, f"addresses show {found} secrets")


def _silent(trial: Trial, schema: str, texts: list[str], where: str) -> None:
    found = leaks(planted(trial, schema), texts)
    require(not found, f"{where} show {found} values of persons")


def _everything(trial: Trial) -> set[str]:
    """Read and write a little of all there is; the persons that were in it."""
    kind, values = trial.subject.connector, set[str]()
    trial.connector().check()
    for schema in kind.reads:
        values |= planted(trial, schema)
        trial.ours(schema, trial.whole(schema).raws)
    for schema in kind.writes:
        values |= planted(trial, schema)
        _written(trial, schema)
    return values


def _damaged(trial: Trial, schema: str) -> list[str]:
    """Read with every kind of damage; what the refusals say."""
    kinds = [*damages(schema), "broken-syntax"]
    for key, damage in zip(sorted(trial.facts(schema)), kinds, strict=False):
        trial.world.damage(schema, key, damage, trial.next_night())
    trial.show_night()
    reading = trial.read(schema)
    texts = [told(one.error) for one in reading.rejected]
    texts += [told(one) for one in trial.ours(schema, reading.raws) if isinstance(one, Refused)]
    pieces = [raw[: len(raw) * 2 // 3] for raw in reading.raws] + [raw + b"<{," for raw in reading.raws]
    texts += [told(one) for one in trial.ours(schema, pieces) if isinstance(one, Refused)]
    return texts if reading.error is None else [*texts, told(reading.error)]


def _written(trial: Trial, schema: str) -> list[str]:
    """Write good records and bad ones; what errors and refusals say."""
    texts = []
    batch = trial.puts(schema)
    bad = [trial.put({name: _odd(value) for name, value in change.record.items()}) for change in batch]
    lacking = [trial.put(one) for change in batch for one in lacking_a_field(trial, schema, change.record)]
    for changes in (batch, bad, lacking):
        texts += _attempted(lambda changes=changes: trial.connector().write(schema, changes))  # type: ignore[misc]
    for outcome in _troubled(
        trial, lambda: _attempted(lambda: trial.connector(receipt_timeout=0.1).write(schema, batch))
    ):
        texts += outcome
    return texts


def _odd(value: object) -> object:
    """A value that no contract takes, with the true one in it."""
    return f"{value}\x07{value}" if isinstance(value, str) else value


def _troubled(trial: Trial, call: Callable[[], T]) -> Iterator[T]:
    """What a call gives under each of a few faults."""
    for fault in _FAULTS:
        for at in (0, 2):
            trial.quiet()
            trial.sandbox.faults.add(fault, times=math.inf, after=at)
            yield call()
    trial.quiet()


def _attempted(call: Callable[[], object]) -> list[str]:
    """What the call says when it goes wrong, and what refusals are in what it gives."""
    try:
        given = call()
    except Exception as error:  # noqa: BLE001 - whatever it is, it would be shown
        return [told(error)]
    receipts = given if isinstance(given, (list, tuple)) else []
    return [told(one.refused) + str(one.reference) for one in receipts if getattr(one, "refused", None)]
