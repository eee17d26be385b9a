"""Two ways: a system that is read and written does not take its own echo for news."""

from __future__ import annotations

from typing import Any

import msgspec

from samspil import registry
from samspil.errors import Refused
from samspil.testing.conformance.carried import identical, leaves
from samspil.testing.conformance.exchange import Exchange
from samspil.testing.conformance.promise import promise, require
from samspil.testing.conformance.trial import Trial


@promise("both")
def both_ways_speak_one_language(trial: Trial, schema: str) -> None:
    """What is written in the system's words and read back from them is the same in every field that goes both ways."""
    both = trial.mapping(schema, "to_ours", "to_theirs")
    struct: Any = registry.schema(schema)
    carried = {node.path.replace("[]", "") for pair in both.resolution.every() for node in pair.ours}
    to_theirs = both.to_theirs([field.name for field in msgspec.structs.fields(struct)])
    for fact in trial.world.records(schema, trial.night):
        ours = msgspec.convert(fact, struct)
        back = both.to_ours(to_theirs(ours))
        sides = [[pair for pair in leaves(msgspec.to_builtins(one)) if pair[0] in carried] for one in (ours, back)]
        require(sides[0] == sides[1], "there and back, a record is another")


@promise("both", needs={"fetch"})
def an_echo_is_not_a_change(trial: Trial, schema: str) -> None:
    """A record written, fetched and written back as it was found is held as it was."""
    batch, connector = trial.puts(schema), trial.connector()
    receipts = trial.write(schema, batch, by=connector)
    before = {key: dict(held) for key, held in trial.held(schema).items()}
    for change, receipt in zip(batch, receipts, strict=True):
        found = connector.fetch(schema, receipt.their_id or "") or {}
        echo = {name: value for name, value in found.items() if name in change.record}
        trial.write(schema, [trial.put(echo, receipt.their_id)], by=connector)
    after = trial.held(schema)
    require(after.keys() == before.keys(), "an echo made another record")
    require(all(identical(after[key], held) for key, held in before.items()), "an echo changed a record")


@promise("both")
def the_order_of_two_writes_makes_no_difference(trial: Trial, schema: str) -> None:
    """Two records written one after the other are held alike, whichever came first."""
    one, other = trial.records(schema)[:2]
    ends: list[dict[str, dict[str, Any]]] = []
    for order in ((one, other), (other, one)):
        with Trial(trial.subject) as fresh:
            for record in order:
                fresh.write(schema, [trial.put(record)])
            ends.append(fresh.held(schema))
    require(ends[0].keys() == ends[1].keys(), "in the other order, other records are held")
    require(all(identical(held, ends[1][key]) for key, held in ends[0].items()), "in the other order, values differ")


@promise("both")
def writing_does_not_disturb_reading(trial: Trial, schema: str) -> None:
    """What is read before a write is read after it, and no record has become unreadable."""
    before = set(trial.whole(schema).keys)
    trial.write(schema, trial.puts(schema))
    after = trial.whole(schema)
    require(before <= set(after.keys), f"{len(before - set(after.keys))} records are read no more")
    refused = [one for one in trial.ours(schema, after.raws) if isinstance(one, Refused)]
    require(not refused, f"{len(refused)} records are unreadable after a write")


@promise("both")
def a_second_night_after_writing_is_quiet(trial: Trial, schema: str) -> None:
    """A flow out of the system, after a flow into it, settles: the night after it nothing is sent."""
    with Exchange(trial, schema, "target") as into:
        into.night()
    with Exchange(trial, schema, "source") as out:
        out.night()
        puts = out.taker.puts
        out.night()
        require(out.taker.puts == puts, f"{out.taker.puts - puts} records went round")
