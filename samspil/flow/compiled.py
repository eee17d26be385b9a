"""A flow made ready to run: both mappings compiled, the filter, the digests and the boxes for its payloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from samspil import mapping, registry
from samspil.agreement import Flow
from samspil.connector import Connector
from samspil.errors import Refused, SettingsError
from samspil.flow.sealing import Sealing
from samspil.rights.number import numbers_in

if TYPE_CHECKING:
    from samspil.hub import Hub

_DECODED = 500  # records decoded at once: as dicts they take ten times the memory of their bytes

_encode = msgspec.json.Encoder(order="deterministic").encode


class Mapped(NamedTuple):
    """A record on its way: the target's record as canonical JSON (None: the agreement's filter keeps it back)."""

    payload: bytes | None
    person: bytes | None  # pseudonym


class CompiledFlow:
    """One flow, ready. ``fingerprint`` changes for every record when mapping, agreement or code lists change."""

    def __init__(self, hub: Hub, flow: Flow, source: Connector, target: Connector) -> None:
        self.flow = flow
        self.source, self.target = source, target
        self.reads, self.writes = source.reads[flow.schema], target.writes[flow.schema]
        struct = registry.schemas()[flow.schema]
        self.theirs = _load(flow, source, flow.source, hub, struct, "to_ours")
        self.mine = _load(flow, target, flow.target, hub, struct, "to_theirs")
        self._to_ours = self.theirs.to_ours
        self._to_theirs = self.mine.to_theirs(flow.fields_sent)
        withheld = flow.protected_addresses == "withheld"
        self._to_protected = self.mine.to_theirs(flow.fields_sent, protected=True) if withheld else self._to_theirs
        self._only = [(field, frozenset(values)) for field, values in flow.only.items()]
        names = {field.name for field in msgspec.structs.fields(struct)}
        self._has_person, self._has_protection = "cpr" in names, "address_protected" in names
        versions = b"".join((flow.digest, self.theirs.digest, self.mine.digest, _shape(struct)))
        self.version = blake2b(versions, digest_size=16).hexdigest()  # of all that can change a record's outcome
        self.agreement = flow.digest.hex()  # the part of it that says what may leave
        self.fingerprint: Callable[[bytes], bytes] = hub.vault.digest(f"fingerprint/{flow.name}/{self.version}")
        self.key: Callable[[bytes], bytes] = hub.vault.digest(f"key/{flow.name}")
        self.person: Callable[[bytes], bytes] = hub.vault.digest("person")
        self.idempotency: Callable[[bytes], bytes] = hub.vault.digest(f"idempotency/{flow.name}")
        self.sealing = Sealing(hub.vault, hub.persons, flow.name)
        self.id = hub.number(flow)  # the flow's number in the store

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
            "fields": sorted(self.flow.fields_sent),
        }

    def map(self, raws: Sequence[bytes]) -> Sequence[Mapped | Refused]:
        """Raw records of the source as records of the target; a Refused in the place of each that cannot pass."""
        results: list[Mapped | Refused] = []
        for start in range(0, len(raws), _DECODED):
            for decoded in self.source.decode(self.flow.schema, raws[start : start + _DECODED]):
                if isinstance(decoded, Refused):
                    results.append(decoded.kept())
                    continue
                try:
                    results.append(self._map(decoded))
                except Refused as refused:
                    results.append(refused.kept())
        return results

    def about(self, raw: bytes, result: Mapped | Refused) -> set[bytes | None]:
        """Whom a record is about; of one that cannot be read, whoever has one of the numbers in it."""
        if isinstance(result, Refused):
            return {self.person(number.encode()) for number in numbers_in(raw)}
        return {result.person}

    def _map(self, decoded: dict[str, Any]) -> Mapped:
        ours: Any = self._to_ours(decoded)
        person = self.person(ours.cpr.encode()) if self._has_person else None
        for field, values in self._only:
            if getattr(ours, field) not in values:
                return Mapped(None, person)
        hidden = self._has_protection and ours.address_protected
        return Mapped(_encode((self._to_protected if hidden else self._to_theirs)(ours)), person)


def compile_flow(hub: Hub, flow: Flow) -> CompiledFlow:
    """Compile a flow. Raises SettingsError when a system cannot read or write the schema, or a mapping is wrong."""
    source, target = hub.connector(flow.source), hub.connector(flow.target)
    if flow.schema not in source.reads:
        raise SettingsError(f"{flow.source} does not give {flow.schema}", field=flow.name)
    if flow.schema not in target.writes:
        raise SettingsError(f"{flow.target} does not take {flow.schema}", field=flow.name)
    return CompiledFlow(hub, flow, source, target)


def _load(flow: Flow, connector: Connector, system: str, hub: Hub, struct: type, direction: str) -> mapping.Mapping:
    return mapping.load(
        hub.file.systems[system].connector,
        flow.schema,
        flow.municipality.code,
        fields=connector.fields(flow.schema),
        struct=struct,
        directions=(direction,),
    )


def _shape(struct: type) -> bytes:
    """A digest of the shared schema: a changed constraint can change what passes."""
    return blake2b(_encode(msgspec.json.schema(struct)), digest_size=16).digest()
