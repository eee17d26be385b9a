"""Remembering: a connector that is used again, twice at once or by another account asks the system, not its memory."""

from __future__ import annotations

import gc
import itertools
import uuid
from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from samspil.connector import Change, Connector, Page
from samspil.errors import AccessError
from samspil.testing.conformance.carried import differing
from samspil.testing.conformance.dressing import dressed_long
from samspil.testing.conformance.gathered import Reading
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.subject import CITIZENS
from samspil.testing.conformance.trial import Trial, attempt
from samspil.testing.conformance.writing import two_versions
from samspil.testing.traced import traced

READS = 4
NOISE = 30_000  # bytes


@promise("read")
def it_reads_what_is_there_now(trial: Trial, schema: str) -> None:
    """A second read by the same connector is of the system as it is then."""
    connector = trial.connector()
    trial.whole(schema, by=connector)
    trial.world.change(schema, min(trial.facts(schema)), trial.next_night())
    trial.show_night()
    again = trial.whole(schema, by=connector).by_key
    require(again == trial.whole(schema).by_key, "the second read of a connector was not of the system as it is now")


@promise("read")
def two_reads_at_once_are_whole(trial: Trial, schema: str) -> None:
    """Two reads that take turns give the same, each of them all, also by one connector."""
    wanted = trial.whole(schema).by_key
    one, other = trial.connector(page_size=2), trial.connector(page_size=2)
    for pair in ((one, one), (one, other)):
        for reading in _in_turns([connector.read(schema) for connector in pair]):
            require(reading.by_key == wanted, f"of two reads at once, one gave {len(reading.keys)} of {len(wanted)}")


@promise("read")
def a_read_that_was_left_is_begun_again(trial: Trial, schema: str) -> None:
    """After a read that nobody went on with, the next begins at the beginning."""
    wanted = trial.whole(schema).by_key
    connector = trial.connector(page_size=2)
    left = connector.read(schema)
    next(iter(left))
    found = trial.whole(schema, by=connector).by_key
    require(found == wanted, f"after a read that was left, the next gave {len(found)} of {len(wanted)} records")


@promise("read", needs={"snapshot"})
def a_key_is_its_records_own(trial: Trial, schema: str) -> None:
    """A record keeps its key when another comes or goes: a number in the list is no key."""
    before = {raw: key for key, raw in trial.whole(schema).by_key.items()}
    trial.world.hide(schema, min(trial.facts(schema)), trial.next_night())
    trial.show_night()
    after = trial.whole(schema).by_key
    moved = [key for key, raw in after.items() if before.get(raw, key) != key]
    require(not moved, f"one record went, and {len(moved)} others have another key")


@promise("read", needs={"http"}, one_schema=True)  # a sandbox over SFTP keeps its own books in this process
def it_lets_go_of_what_it_read(trial: Trial, schema: str) -> None:
    """However often it reads, it needs no more memory: a worker that runs for weeks reads everything many times."""
    with Trial(trial.subject, citizens=10 * CITIZENS) as fresh:
        fresh.world.dressed[schema] = partial(dressed_long, schema)
        fresh.show_night()
        connector = fresh.connector()
        size = _read_and_dropped(fresh, schema, connector)
        with traced() as memory:
            _read_and_dropped(fresh, schema, connector)
            before = memory.held
            for _ in range(READS):
                _read_and_dropped(fresh, schema, connector)
            grown = memory.held - before
        require(grown < size * READS / 2 + NOISE, f"after {READS} more reads of {size} bytes it holds {grown} more")


@promise("write", needs={"fetch"})
def it_fetches_what_is_there_now(trial: Trial, schema: str) -> None:
    """A record fetched again after a change is the changed one; after its deletion there is none."""
    first, second = two_versions(trial, schema)
    connector = trial.connector()
    (receipt,) = trial.write(schema, [trial.put(first)], by=connector)
    own = receipt.their_id or ""
    connector.fetch(schema, own)
    trial.write(schema, [trial.put(second, own)], by=connector)
    wrong = differing(second, connector.fetch(schema, own) or {})
    require(not wrong, f"fetched after a change, fields are as before: {', '.join(wrong[:5])}")
    if connector.writes[schema].deletes:
        trial.write(schema, [Change("delete", trial.put(second).raw, own, str(uuid.uuid4()))], by=connector)
        require(connector.fetch(schema, own) is None, "a record was fetched that is deleted")


@promise(needs={"network", "password"})
def an_account_is_not_let_in_by_another(trial: Trial) -> None:
    """After one account was let in, another with a wrong password is not, for nothing it does; the first still is."""
    right = trial.connector()
    right.check()
    wrong = trial.connector(replace(trial.account, password="not-the-password-0"))  # noqa: S106 - on purpose
    calls: list[Callable[[], object]] = [wrong.check]
    calls += [partial(_read, trial, schema, wrong) for schema in list(right.reads)[:1]]
    calls += [partial(wrong.write, schema, trial.puts(schema)) for schema in list(right.writes)[:1]]
    outcomes = [attempt(call) for call in calls]
    require(all(one.error is not None for one in outcomes), "a wrong password was let in after a right one")
    kinds = {type(one.error).__name__ for one in outcomes if not isinstance(one.error, AccessError)}
    require(not kinds, f"a wrong password was {', '.join(sorted(kinds))}")
    right.check()


def _read(trial: Trial, schema: str, connector: Connector) -> None:
    error = trial.read(schema, by=connector).error
    if error is not None:
        raise error


def _read_and_dropped(trial: Trial, schema: str, connector: Connector) -> int:
    """How many bytes there were."""
    size = sum(len(raw) for page in connector.read(schema) for raw in page.raws)
    trial.quiet()
    trial.sandbox.headers.clear()
    trial.sandbox.queries.clear()
    trial.watch.logged.clear()
    gc.collect()
    return size


def _in_turns(reads: list[Iterator[Page]]) -> list[Reading]:
    """The pages of reads that go on in turns."""
    rounds = list(itertools.zip_longest(*reads))
    return [Reading([page for page in pages if page is not None]) for pages in zip(*rounds, strict=True)]


@promise("read")
def what_is_settled_can_be_read_again(trial: Trial, schema: str) -> None:
    """Told that all it read has arrived, and told so twice, a connector finds the same records there."""
    connector = trial.connector()
    before = trial.whole(schema, by=connector)
    for _ in range(2):
        outcome = attempt(lambda: connector.settled(schema))
        require(outcome.error is None, f"settling {schema} raised: {outcome.error}")
    for again in (trial.whole(schema, by=connector), trial.whole(schema)):
        require(set(again.keys) == set(before.keys), "records are gone that were settled")
