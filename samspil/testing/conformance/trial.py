"""A trial: one running sandbox with its account, and the connectors that a promise makes for it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any, NamedTuple, Self, TypeVar

import msgspec
from msgspec.structs import replace

from samspil import mapping, registry
from samspil.account import Account
from samspil.connector import Change, Connector, Receipt
from samspil.errors import Refused, SamspilError
from samspil.testing.conformance.gathered import Reading
from samspil.testing.conformance.promise import Broken, require
from samspil.testing.conformance.subject import CITIZENS, Subject, settings_of
from samspil.testing.conformance.world import SteadyWorld
from samspil.testing.facts import Fact
from samspil.testing.leaks.watch import Watch

T = TypeVar("T")

MANY = 5  # records; a guard lets fewer change or go


class Outcome(NamedTuple):
    """What became of a call: its value, or the error it raised on purpose."""

    value: Any
    error: SamspilError | None


class Trial:
    """A context manager. ``watch`` sees what the connector does from the moment the sandbox runs."""

    def __init__(self, subject: Subject, *, citizens: int = CITIZENS) -> None:
        self.subject = subject
        self.world = SteadyWorld(subject.municipality, citizens=citizens)
        self.world.spoken = subject.spoken
        self.sandbox = subject.sandbox(self.world)
        self.watch = Watch()
        self.night = 1
        self._made: list[Connector] = []
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self._undo.callback(self.sandbox.stop)
        self.sandbox.start()
        self._undo.enter_context(self.watch)
        self._undo.callback(self.close)
        return self

    def __exit__(self, *error: object) -> None:
        self._undo.close()

    def close(self) -> None:
        """Close the connectors made so far."""
        for connector in self._made:
            connector.close()
        self._made.clear()

    # the account

    @property
    def account(self) -> Account:
        """The sandbox's account with the subject's own settings laid over."""
        account = self.sandbox.account
        return replace(account, extra={**account.extra, **self.subject.settings})

    def with_settings(self, **settings: Any) -> Account:
        """The account with other settings, as far as the connector has them."""
        known = settings_of(self.subject.connector)
        extra = {name: value for name, value in settings.items() if name in known}
        return replace(self.account, extra={**self.account.extra, **extra})

    def connector(self, account: Account | None = None, **settings: Any) -> Connector:
        """A new connector, closed when the promise has been tried."""
        made = self.subject.connector(account or self.with_settings(**settings))
        self._made.append(made)
        return made

    @property
    def secrets(self) -> list[str]:
        """The values of the account's settings that are marked as secrets, and its password."""
        marked = [
            name
            for name, field in settings_of(self.subject.connector).items()
            if any((part.extra or {}).get("secret") for part in _metas(field.type))
        ]
        values = [self.account.extra.get(name) for name in marked]
        return [str(value) for value in (self.account.password, *values) if value]

    @cached_property
    def features(self) -> frozenset[str]:
        """What is there for promises that need it; see ``Promise.needs``."""
        account, found = self.account, set(self.sandbox.plays)
        found |= {name for name in ("timeout", "rate", "page_size") if name in settings_of(self.subject.connector)}
        if account.host and account.port:
            found.add("network")
            found |= {"http"} if account.conn_type in ("http", "https") else set()
            found |= {"plain-http"} if account.conn_type == "http" else set()
        found |= {"password"} if account.password else set()
        found |= {"secrets"} if self.secrets else set()
        return frozenset(found)

    def features_of(self, schema: str) -> frozenset[str]:
        """The same, with what is there for one schema only."""
        many = len(self.world.records(schema)) >= MANY if schema else False
        return self.features | ({"many"} if many else set())

    # time

    def next_night(self) -> int:
        """The night that moves of the world are to count from; ``show_night`` lets the sandbox show it."""
        return self.night + 1

    def show_night(self) -> None:
        """Let the sandbox show the next night."""
        self.night += 1
        self.sandbox.to_night(self.night)

    # reading

    def read(self, schema: str, since: str | None = None, *, by: Connector | None = None, **settings: Any) -> Reading:
        """Read a schema to its end, or to an error that says what can be done."""
        return Reading.of((by or self.connector(**settings)).read(schema, since))

    def whole(self, schema: str, since: str | None = None, *, by: Connector | None = None, **settings: Any) -> Reading:
        """The same where nothing goes wrong. Raises Broken if something does."""
        reading = self.read(schema, since, by=by, **settings)
        require(reading.error is None, f"reading {schema} without any fault raised: {reading.error}")
        require(not reading.rejected, f"reading {schema} without any fault rejected {len(reading.rejected)} pieces")
        return reading

    def decoded(self, schema: str, raws: Sequence[bytes]) -> list[dict[str, Any] | Refused]:
        """Raws as dicts or Refused, one for each."""
        found = list(self.connector().decode(schema, raws))
        require(len(found) == len(raws), f"decode of {len(raws)} records of {schema} gave {len(found)}")
        return found

    def ours(self, schema: str, raws: Sequence[bytes]) -> list[Any]:
        """Raws as structs of the shared schema, or Refused."""
        to_ours = self.mapping(schema, "to_ours").to_ours
        return [one if isinstance(one, Refused) else _mapped(to_ours, one) for one in self.decoded(schema, raws)]

    def facts(self, schema: str) -> dict[str, Any]:
        """What the system holds, as structs of the shared schema by id."""
        struct = registry.schema(schema)
        return {
            fact["id"]: msgspec.convert(fact, struct)
            for fact in self.world.records(schema, self.night)
            if fact["id"] in self.sandbox.shown(schema)
        }

    # writing

    def mapping(self, schema: str, *directions: str) -> mapping.Mapping:
        """The subject's mapping of a schema."""
        return self.subject.mapping(schema, *directions)

    def records(self, schema: str, facts: Sequence[Fact] | None = None) -> list[dict[str, Any]]:
        """Facts (of this night) as records in the target's words; what its mapping cannot carry is left out."""
        struct: Any = registry.schema(schema)
        to_theirs = self.mapping(schema, "to_theirs").to_theirs(struct.__struct_fields__)
        told = self.world.records(schema, self.night) if facts is None else facts
        found = [_mapped(to_theirs, msgspec.convert(fact, struct)) for fact in told]
        return [one for one in found if not isinstance(one, Refused)]

    def puts(self, schema: str, count: int = 4) -> list[Change]:
        """New changes that create records, as many as a batch takes and at most ``count``."""
        most = min(count, self.subject.connector.writes[schema].batch)
        made = [self.put(record) for record in itertools.islice(self.records(schema), most)]
        require(made, f"the world has no {schema} that the mapping can carry")
        return made

    @staticmethod
    def put(record: Mapping[str, Any], their_id: str | None = None) -> Change:
        """One change with an idempotency key of its own."""
        return Change.of("put", record, their_id, str(uuid.uuid4()))

    def write(self, schema: str, batch: Sequence[Change], *, by: Connector | None = None) -> list[Receipt]:
        """Send a batch. Raises Broken unless there is one receipt for each change and none is a refusal."""
        receipts = self.answered(schema, batch, by=by)
        refused = [receipt.refused for receipt in receipts if receipt.refused is not None]
        require(not refused, f"{len(refused)} of {len(batch)} good records of {schema} were refused: {refused[:1]}")
        return receipts

    def answered(self, schema: str, batch: Sequence[Change], *, by: Connector | None = None) -> list[Receipt]:
        """Send a batch. Raises Broken unless there is one receipt for each change."""
        outcome = attempt(lambda: (by or self.connector()).write(schema, batch))
        require(outcome.error is None, f"writing {schema} raised: {outcome.error}")
        require(len(outcome.value) == len(batch), f"{len(outcome.value)} receipts for {len(batch)} changes")
        return list(outcome.value)

    def held(self, schema: str) -> dict[str, dict[str, Any]]:
        """What the sandbox holds of a schema, by the sender's id."""
        return self.sandbox.held(schema)

    # faults

    def calls_of(self, call: Callable[[], object]) -> int:
        """How many calls the system got while something ran."""
        before = len(self.sandbox.calls)
        call()
        return len(self.sandbox.calls) - before

    def quiet(self) -> None:
        """Nothing goes wrong any more; calls are counted from zero."""
        self.sandbox.faults.clear()
        self.sandbox.calls.clear()


def attempt(call: Callable[[], T]) -> Outcome:
    """Call, and tell an error that says what can be done from one that is a fault of the connector."""
    try:
        return Outcome(call(), None)
    except SamspilError as error:
        return Outcome(None, error)
    except Broken:
        raise
    except Exception as error:  # noqa: BLE001 - its message may hold a person's value, its type does not
        raise Broken(f"raised {type(error).__name__}, which says nothing of what can be done") from None


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    try:
        return function(value)
    except Refused as refused:
        return refused


def _metas(kind: Any) -> Iterator[msgspec.Meta]:
    yield from (part for part in getattr(kind, "__metadata__", ()) if isinstance(part, msgspec.Meta))
