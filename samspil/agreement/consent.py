"""Consent (samtykke): where it stands, and which flows of the agreement depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samspil.agreement.types import Name
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.agreement.terms import WrittenAgreement, WrittenFlow

Wrong = Callable[[str, str], SettingsError]  # message, field path

FIELD = "consent"


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing about a person passes under the agreement without consent.

    The consent is the yes-or-no ``field`` of ``schema``; other records name that record in ``by``. ``without`` says what
    is kept back of a person who has not consented, or no longer: the whole ``record``, or only the fields listed.
    """

    schema: Name
    field: Name = FIELD
    by: Name = "order_id"
    without: Literal["record"] | Annotated[tuple[Name, ...], Meta(min_length=1)] = "record"


class Dependence(msgspec.Struct, frozen=True, kw_only=True):
    """How one flow depends on consent. ``carriers`` are the flows whose records say whether there is one.

    ``strict``: the agreement says ``consent:``, so a person of whom no consent is known is kept back. Otherwise it was
    found in a flow's ``only: {consent: [true]}``, and only a consent that was given and withdrawn stops other flows.
    """

    carriers: tuple[str, ...]
    carries: bool
    field: str
    by: str
    without: tuple[str, ...]  # empty: the whole record
    strict: bool

    def after(self, flow: WrittenFlow) -> tuple[str, ...]:
        """What the flow comes after: a strict one also the carriers, so that it knows tonight's consents."""
        if not self.strict or self.carries:
            return flow.after
        return tuple(dict.fromkeys((*flow.after, *self.carriers)))


def dependence(agreement: WrittenAgreement, flow: WrittenFlow) -> Dependence | None:
    """How a flow of the agreement depends on consent; None if nothing there speaks of consent."""
    told = agreement.consent
    if told is not None:
        carriers = tuple(other.name for other in agreement.flows if other.schema == told.schema)
        without = () if told.without == "record" else told.without
        return Dependence(
            carriers=carriers,
            carries=flow.schema == told.schema,
            field=told.field,
            by=told.by,
            without=without,
            strict=True,
        )
    carriers = tuple(other.name for other in agreement.flows if other.only.get(FIELD) == (True,))
    if not carriers:
        return None
    return Dependence(
        carriers=carriers, carries=flow.name in carriers, field=FIELD, by="order_id", without=(), strict=False
    )


def check(agreements: Sequence[WrittenAgreement], schemas: Mapping[str, type], wrong: Wrong) -> None:
    """Raise ``wrong`` for the first agreement whose consent cannot be found or keeps nothing back."""
    for index, agreement in enumerate(agreements):
        told, at = agreement.consent, f"agreements[{index}].consent"
        if told is None:
            continue
        if all(flow.schema != told.schema for flow in agreement.flows):
            raise wrong(f"no flow of agreement {agreement.name} is of schema {told.schema}", f"{at}.schema")
        known = _types(schemas[told.schema])
        if known.get(told.field) is not bool:
            raise wrong(f"schema {told.schema} has no yes-or-no field {told.field}", f"{at}.field")
        lacking = {"id", "cpr"} - known.keys()
        if lacking:
            raise wrong(
                f"schema {told.schema} has no {min(lacking)}: nobody can tell whose consent it is", f"{at}.schema"
            )
        if told.without == "record":
            continue
        for number, name in enumerate(told.without):
            if all(name not in flow.fields_sent for flow in agreement.flows):
                raise wrong(f"no flow of agreement {agreement.name} carries {name}", f"{at}.without[{number}]")


def _types(struct: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        kind = field.type
        while hasattr(kind, "__metadata__"):
            kind = kind.__origin__
        found[field.name] = kind
    return found
