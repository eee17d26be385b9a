"""A flow made ready to run: both mappings compiled, the filter, the digests and the boxes for its payloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from samspil import registry
from samspil.agreement import Flow
from samspil.agreement.place import wrong
from samspil.connector import Connector
from samspil.errors import Refused, SettingsError
from samspil.flow.both_ways import BothWays
from samspil.flow.clerk import Clerk
from samspil.flow.consent import Gate, Noted
from samspil.flow.pseudonyms import Hidden
from samspil.flow.sealing import Sealing
from samspil.mapping.mapping import ToTheirs
from samspil.rights.number import numbers_in

if TYPE_CHECKING:
    from samspil.flow.baseline import Baseline
    from samspil.flow.turn import Turn
    from samspil.hub import Hub

_DECODED = 500  # records decoded at once: as dicts they take ten times the memory of their bytes

_encode = msgspec.json.Encoder(order="deterministic").encode


class Mapped(NamedTuple):
    """A record on its way: the target's record as canonical JSON (None: the agreement's filter keeps it back)."""

    payload: bytes | None
    person: bytes | None  # pseudonym
    consent: Noted | None = None  # what the record says of consent, or what is known of it
    ours: Any = None  # in a two-way exchange: the record in our words, to be merged
    turn: Turn | None = None  # and what came of merging it


class CompiledFlow:
    """One flow, ready. ``fingerprint`` changes for every record when mapping, agreement or code lists change."""

    def __init__(self, hub: Hub, flow: Flow, source: Connector, target: Connector) -> None:
        self.flow = flow
        self.source, self.target = source, target
        self.reads, self.writes = source.reads[flow.schema], target.writes[flow.schema]
        struct = registry.schemas()[flow.schema]
        self.theirs = hub.mapping(flow.source, flow.schema, "to_ours")
        self.mine = hub.mapping(flow.target, flow.schema, "to_theirs")
        self._to_ours = self.theirs.to_ours
        self._to_theirs = self.mine.to_theirs(flow.fields_written)
        withheld = flow.protected_addresses == "withheld"
        self._to_protected = self.mine.to_theirs(flow.fields_written, protected=True) if withheld else self._to_theirs
        self._only = [(field, frozenset(values)) for field, values in flow.only.items()]
        names = {field.name for field in msgspec.structs.fields(struct)}
        self._has_person, self._has_protection = "cpr" in names, "address_protected" in names
        self.hidden = Hidden(hub, flow, self.mine.resolution) if flow.pseudonyms else None
        gated = flow.consent is not None and self._has_person
        self.gate = Gate(hub, flow, names) if gated else None
        self._to_refusing = self._reduced(hub) if self.gate is not None else {}
        if flow.two_way and (self._to_refusing or self.hidden):  # a merged record is written again, without either
            message = f"{flow.schema} goes both ways, and a record that lacks fields cannot be merged"
            raise wrong(hub.file, flow, "consent.without" if self._to_refusing else "pseudonyms", message)
        way_back = flow.two_way.digest if flow.two_way else b""
        versions = b"".join((flow.digest, way_back, self.theirs.digest, self.mine.digest, _shape(struct)))
        self.version = blake2b(versions, digest_size=16).hexdigest()  # of all that can change a record's outcome
        self.agreement = flow.digest.hex()  # the part of it that says what may leave
        self.fingerprint: Callable[[bytes], bytes] = hub.vault.digest(f"fingerprint/{flow.name}/{self.version}")
        self.key: Callable[[bytes], bytes] = hub.vault.digest(f"key/{flow.name}")
        self.person: Callable[[bytes], bytes] = hub.vault.digest("person")
        self.idempotency: Callable[[bytes], bytes] = hub.vault.digest(f"idempotency/{flow.name}")
        self.sealing = Sealing(hub.vault, hub.persons, flow.name)
        self.id = hub.number(flow)  # the flow's number in the store
        self.clerk = Clerk(self.id, self.context, self.sealing, hub.ledger)
        self.both = BothWays(hub, flow, source, target, struct) if flow.two_way else None
        self.lock = self.both.number if self.both else self.id  # two directions work on the same records: one at a time

    @property
    def context(self) -> Mapping[str, Any]:
        """What the ledger says of every batch of this flow."""
        return {
            "flow": self.flow.name,
            "from": self.flow.source,
            "to": self.flow.target,
            "agreement": self.flow.agreement.name,
            "purpose": self.flow.agreement.purpose,
            "legal_basis": self.flow.agreement.legal_basis,
            "fields": sorted(self.flow.fields_written),
        }

    def map(self, raws: Sequence[bytes]) -> Sequence[Mapped | Refused]:
        """Raw records of the source as records of the target; a Refused in the place of each that cannot pass."""
        results: list[Mapped | Refused] = []
        for start in range(0, len(raws), _DECODED):
            decoded = self.source.decode(self.flow.schema, raws[start : start + _DECODED])
            results += self.passed([self._read(one) for one in decoded])
        return results

    def passed(self, records: Sequence[Any]) -> Sequence[Mapped | Refused]:
        """Some records in our words, through the agreement's filter; a Refused among them stays where it is."""
        if self.gate is not None:
            known = [one for one in records if not isinstance(one, Refused)]
            self.gate.look((one, self.person(one.cpr.encode())) for one in known)
        return [self._passed(one) for one in records]

    def _read(self, decoded: dict[str, Any] | Refused) -> Any:
        """A record in our words, or a Refused."""
        if isinstance(decoded, Refused):
            return decoded.kept()
        try:
            return self._to_ours(decoded)
        except Refused as refused:
            return refused.kept()

    def _passed(self, ours: Any) -> Mapped | Refused:
        if isinstance(ours, Refused):
            return ours
        try:
            return self._mapped(ours)
        except Refused as refused:
            return refused.kept()

    def about(self, raw: bytes, result: Mapped | Refused) -> set[bytes | None]:
        """Whom a record is about; of one that cannot be read, whoever has one of the numbers in it."""
        if isinstance(result, Refused):
            return {self.person(number.encode()) for number in numbers_in(raw)}
        return {result.person}

    def about_whom(self, baseline: Baseline) -> bytes | None:
        """Whom a record of a two-way exchange is about."""
        return None if baseline.cpr is None else self.person(baseline.cpr)

    def _mapped(self, ours: Any) -> Mapped:
        person = self.person(ours.cpr.encode()) if self._has_person else None
        noted = self.gate.note(ours, person) if self.gate is not None and person is not None else None
        kept = ours if self.both else None
        for field, values in self._only:
            if getattr(ours, field) not in values:
                return Mapped(None, person, noted, kept)
        given = noted is None or noted.given
        if not given and not self._to_refusing:
            return Mapped(None, person, noted, kept)
        return Mapped(self.encoded(ours, given=given), person, noted, kept)

    def encoded(self, ours: Any, *, given: bool = True) -> bytes:
        """A record in our words as the target's record; not ``given``: of one who has not consented. Raises Refused."""
        hidden = self._has_protection and ours.address_protected
        write = (self._to_protected if hidden else self._to_theirs) if given else self._to_refusing[hidden]
        return _encode(write(ours if self.hidden is None else self.hidden.hide(ours)))

    def _reduced(self, hub: Hub) -> dict[bool, ToTheirs]:
        """The mappings for those who have not consented, by whether the address is protected; none: nothing passes."""
        told = self.flow.consent
        if told is None or not told.without:
            return {}
        left, protects = self.flow.fields_sent.difference(told.without), self.flow.protected_addresses == "withheld"
        try:
            return {hidden: self.mine.to_theirs(left, protected=hidden and protects) for hidden in (False, True)}
        except SettingsError as error:
            message = f"{self.flow.target} does not take {self.flow.schema} without these fields; write record"
            raise wrong(hub.file, self.flow, "consent.without", f"{message} ({error.field})") from None


def compile_flow(hub: Hub, flow: Flow) -> CompiledFlow:
    """Compile a flow. Raises SettingsError when a system cannot read or write the schema, or a mapping is wrong."""
    source, target = hub.connector(flow.source), hub.connector(flow.target)
    if flow.schema not in source.reads:
        raise SettingsError(f"{flow.source} does not give {flow.schema}", field=flow.name)
    if flow.schema not in target.writes:
        raise SettingsError(f"{flow.target} does not take {flow.schema}", field=flow.name)
    return CompiledFlow(hub, flow, source, target)


@cache
def _shape(struct: type) -> bytes:
    """A digest of the shared schema: a changed constraint can change what passes."""
    return blake2b(_encode(msgspec.json.schema(struct)), digest_size=16).digest()
