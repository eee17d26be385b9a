"""What a municipality's file says, as structs.

The ``Written…`` structs are the file as it stands; the others also know what they are part of, so that one flow is
enough to say on what legal basis a record left.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samspil.agreement.consent import Consent, Dependence, dependence
from samspil.agreement.in_airflow import InAirflow
from samspil.agreement.pseudonyms import Pseudonyms
from samspil.agreement.reports import Report
from samspil.agreement.types import Name

Percent = Annotated[float, Meta(ge=0, le=100)]
Text = Annotated[str, Meta(pattern=r"\S", max_length=1000)]
Rhythm = Literal["nightly", "weekly", "monthly", "on-change"]


class Municipality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A municipality (kommune): ``code`` is three digits as text, ``cvr`` the business number of its administration."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{3}\Z")]
    name: Text
    cvr: Annotated[str, Meta(pattern=r"^[0-9]{8}\Z")]


class SystemUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One system as this municipality uses it. ``pool_slots`` is how many flows may talk to it at the same time."""

    connector: Name
    connection: Name
    pool_slots: int = 4


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most a run may change or delete without a person, in percent of what the target holds.

    ``smallest_read`` is the least that a snapshot of the source may have, in percent of the last one, before its
    deletions wait for a person; 0 trusts any.
    """

    changes: Percent = 30
    deletions: Percent = 5
    smallest_read: Percent = 50


class WrittenFlow(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from", "target": "to"}
):
    """A flow as the file has it. ``fields`` is owner → the fields it owns that this flow may carry."""

    schema: Name
    source: Name
    target: Name
    rhythm: Rhythm
    fields: dict[Name, tuple[Name, ...]]
    only: dict[Name, Annotated[tuple[Any, ...], Meta(min_length=1)]] = {}
    protected_addresses: Literal["withheld", "sent"] = "withheld"
    guard: Guard = Guard()
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``<from>-<schema>-<to>``, unique in the municipality."""
        return f"{self.source}-{self.schema}-{self.target}"

    @property
    def fields_sent(self) -> frozenset[str]:
        """The top-level fields of the schema that may leave. Every other field stays."""
        return frozenset(field for owned in self.fields.values() for field in owned)

    @property
    def digest(self) -> bytes:
        """16 bytes that change when a record's outcome can change: direction, fields, filter, protected addresses.

        The order in which the file lists things, the rhythm, the guard and the texts do not count.
        """
        outcome = [
            self.name,
            sorted((owner, sorted(owned)) for owner, owned in self.fields.items()),
            sorted((field, sorted(map(msgspec.json.encode, values))) for field, values in self.only.items()),
            self.protected_addresses,
        ]
        return blake2b(msgspec.json.encode(outcome), digest_size=16, person=b"samspil-flow-1").digest()


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the hub may keep what passed (opbevaring), in years since the last change about a person."""

    years: Annotated[int, Meta(ge=1, le=100)]


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two parties have agreed: for what purpose (formål) and on what legal basis (hjemmel) data may pass."""

    name: Name
    between: tuple[Name, Name]
    purpose: Text
    legal_basis: Text
    pseudonyms: Pseudonyms | None = None
    consent: Consent | None = None
    retention: Retention | None = None


class TwoWay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a flow knows of the one that brings the same schema the other way (``opposite``) in its agreement.

    ``owners`` has every field that passes in either direction, with the system that owns it.
    """

    opposite: str
    owners: dict[Name, Name]
    digest: bytes  # of the opposite


class Flow(WrittenFlow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One schema in one direction, knowing its agreement's terms, its municipality and the way back, if there is one."""

    agreement: Terms
    municipality: Municipality
    consent: Dependence | None = None
    two_way: TwoWay | None = None

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        """The fields that leave as pseudonyms."""
        told = self.agreement.pseudonyms
        if told is None or told.recipient != self.target:
            return ()
        return tuple(name for name in told.fields if name in self.fields_sent)

    @property
    def digest(self) -> bytes:
        """As above, and of pseudonyms and consent, if there are any."""
        outcome = super().digest
        told = self.agreement.pseudonyms
        hidden = [*sorted(self.pseudonyms), told.version] if told and self.pseudonyms else []
        if not hidden and (self.consent is None or not self.consent.strict):
            return outcome
        more = msgspec.json.encode([hidden, self.consent])
        return blake2b(outcome + more, digest_size=16, person=b"samspil-flow-2").digest()

    @property
    def fields_written(self) -> frozenset[str]:
        """The fields that a record for the target has: what is sent, and in a two-way exchange the target's own."""
        return frozenset(self.two_way.owners) if self.two_way else self.fields_sent


class WrittenAgreement(Terms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement as the file has it."""

    flows: Annotated[tuple[WrittenFlow, ...], Meta(min_length=1)]
    reports: tuple[Report, ...] = ()


class Agreement(Terms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Terms with the flows they allow, in the file's order."""

    flows: tuple[Flow, ...]
    reports: tuple[Report, ...] = ()

    @classmethod
    def of(cls, written: WrittenAgreement, municipality: Municipality) -> Agreement:
        """The agreement with its flows told what they are part of."""
        said: dict[str, Any] = {name: getattr(written, name) for name in Terms.__struct_fields__}
        context: dict[str, Any] = {"agreement": Terms(**said), "municipality": municipality}
        flows = []
        for flow in written.flows:
            stands = {name: getattr(flow, name) for name in WrittenFlow.__struct_fields__}
            stands["consent"] = dependence(written, flow)
            if stands["consent"] is not None:
                stands["after"] = stands["consent"].after(flow)
            flows.append(Flow(**stands, **context, two_way=_way_back(flow, written.flows)))
        return cls(**said, flows=tuple(flows), reports=written.reports)


def opposite(flow: WrittenFlow, flows: Sequence[WrittenFlow]) -> WrittenFlow | None:
    """The flow of the same schema the other way, if the agreement has one."""
    way = (flow.schema, flow.target, flow.source)
    return next((other for other in flows if (other.schema, other.source, other.target) == way), None)


def _way_back(flow: WrittenFlow, flows: Sequence[WrittenFlow]) -> TwoWay | None:
    other = opposite(flow, flows)
    if other is None:
        return None
    owners = {name: owner for one in (flow, other) for owner, owned in one.fields.items() for name in owned}
    return TwoWay(opposite=other.name, owners=owners, digest=other.digest)


class _Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    municipality: Municipality
    systems: Annotated[dict[Name, SystemUse], Meta(min_length=1)]
    schedule: str
    deadline: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
    airflow: InAirflow = InAirflow()


class WrittenFile(_Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A municipality's file as it stands."""

    agreements: tuple[WrittenAgreement, ...]


class MunicipalityFile(_Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A municipality's file, checked. ``schedule`` is cron and ``deadline`` is HH:MM, both in local Danish time.

    ``slug`` is the file's name without ``.yaml``: the municipality in names of DAGs and connections. ``path`` is where it was
    read from.
    """

    agreements: tuple[Agreement, ...]
    slug: str = ""
    path: str = ""

    @classmethod
    def of(cls, written: WrittenFile, slug: str, path: str = "") -> MunicipalityFile:
        """The file with its flows told what they are part of."""
        said: dict[str, Any] = {name: getattr(written, name) for name in _Common.__struct_fields__}
        agreements = tuple(Agreement.of(agreement, written.municipality) for agreement in written.agreements)
        return cls(**said, agreements=agreements, slug=slug, path=path)

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Every flow of every agreement, in the file's order."""
        return tuple(flow for agreement in self.agreements for flow in agreement.flows)

    def flow(self, name: str) -> Flow:
        """The flow of that name. Raises KeyError if there is none."""
        return {flow.name: flow for flow in self.flows}[name]
