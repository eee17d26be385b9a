"""What a flow of a two-way exchange knows beyond others: its side, the rules, the other direction, the normal form.

The normal form of a record is what is left of it after a round trip through both systems' words. Two states are
compared in it, so that a system that keeps minutes and no seconds does not seem to edit what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from samspil.agreement import Flow
from samspil.connector import Connector
from samspil.errors import Refused, SettingsError
from samspil.flow.baseline import Fields
from samspil.flow.merging import Rules
from samspil.vault import Box

if TYPE_CHECKING:
    from samspil.flow.compiled import CompiledFlow
    from samspil.hub import Hub


class BothWays:
    """One direction's view. ``side`` is its source's, ``number`` the flow id that both directions store under."""

    def __init__(self, hub: Hub, flow: Flow, source: Connector, target: Connector, struct: Any) -> None:
        way = flow.two_way
        assert way is not None  # noqa: S101  # for the type checker
        if type(target).fetch is Connector.fetch or type(source).fetch is Connector.fetch:
            raise SettingsError(f"{flow.schema} goes both ways, so both systems must fetch a record", field=flow.name)
        self._hub, self._opposite, self._struct, self._target = hub, way.opposite, struct, target
        self._source = source
        self._schema = flow.schema
        systems = sorted((flow.source, flow.target))
        self.systems = (systems[0], systems[1])
        self.side = systems.index(flow.source)
        self.fields = frozenset(way.owners)
        back = hub.file.flow(way.opposite)
        ids = [hub.number(flow), hub.number(back)]
        self.flow_ids = (ids[self.side], ids[1 - self.side])
        self.number = self.flow_ids[0]
        sent = [flow.fields_sent, back.fields_sent]
        self.rules = Rules(
            {field: systems.index(owner) for field, owner in way.owners.items() if field != "id"},
            (sent[self.side], sent[1 - self.side]),
        )
        withheld = "withheld" in (flow.protected_addresses, back.protected_addresses)
        self._trips = [
            (both.to_theirs(self.fields), both.to_theirs(self.fields, protected=withheld), both.to_ours)
            for both in (hub.mapping(name, flow.schema) for name in (flow.source, flow.target))
        ]
        self._to_ours = self._trips[1][2]
        names = {field.name for field in msgspec.structs.fields(struct)}
        self._protection = "address_protected" in names
        self.opposite_key: Callable[[bytes], bytes] = hub.vault.digest(f"key/{way.opposite}")
        self.person: Callable[[bytes], bytes] = hub.vault.digest("person")
        self.box: Box = hub.vault.box(f"baseline/{'-'.join(self.systems)}/{flow.schema}")

    @property
    def opposite(self) -> CompiledFlow:
        """The other direction."""
        return self._hub.flow(self._opposite)

    def state(self, ours: Any) -> Fields:
        """What is kept of a record: its fields that pass in either direction."""
        return {name: value for name, value in _plain(ours).items() if name in self.fields}

    def record(self, state: Mapping[str, Any]) -> Any:
        """A state as a record again. Raises Refused naming a field that the agreement does not let pass."""
        try:
            return msgspec.convert(state, self._struct)
        except msgspec.ValidationError:
            missing = [one.name for one in msgspec.structs.fields(self._struct) if one.required]
            field = next((name for name in missing if name not in state), "")
            hint = "the agreement lets this side send no such field: list it in the flow" if field else ""
            raise Refused("not-carried" if field else "bad-record", field=field, hint=hint) from None

    def normal(self, state: Mapping[str, Any] | None) -> Fields | None:
        """The normal form of a state, without its id."""
        if state is None:
            return None
        try:
            ours = self.record(state)
            for plain, protected, to_ours in self._trips:
                hidden = self._protection and ours.address_protected
                ours = to_ours((protected if hidden else plain)(ours))
            state = self.state(ours)
        except Refused:  # one of the systems could not hold it: then it is compared as it stands
            state = {name: state.get(name) for name in self.fields}
        return {name: value for name, value in state.items() if name != "id"}

    def given(self, payload: bytes, meant: Fields) -> Fields:
        """What the target will show after it took a payload that is to make it ``meant``."""
        try:
            return self.state(self._to_ours(msgspec.json.decode(payload)))
        except Refused:
            return meant

    def fetched(self, name: str) -> Fields | None:
        """The target's record as it is now. Raises Refused if it cannot be told, and what ``Connector.fetch`` raises."""
        found = self._target.fetch(self._schema, name)
        return None if found is None else self.state(self._to_ours(found))

    def lost(self, name: str) -> bool:
        """Whether the source itself says that it has no such record."""
        return self._source.fetch(self._schema, name) is None


def _plain(ours: Any) -> Fields:
    """As it is once it was stored."""
    plain: Fields = msgspec.json.decode(msgspec.json.encode(ours))
    return plain
