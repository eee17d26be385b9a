"""Pseudonyms: which fields leave as a pseudonym to one recipient, and what happens when its key is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samspil.agreement.types import Name
from samspil.errors import SettingsError

if TYPE_CHECKING:
    from samspil.agreement.terms import WrittenAgreement

Wrong = Callable[[str, str], SettingsError]  # message, field path


class Pseudonyms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``fields`` leave to ``recipient`` as HMAC-SHA-256 under the recipient's own key (pseudonymisering).

    ``version`` counts the recipient's keys: a higher one is a new key. ``rotation`` says whether the recipient may be
    told once which old pseudonym is which new one (``mapped``), or nobody ever (``forgotten``).
    """

    recipient: Name
    fields: Annotated[tuple[Name, ...], Meta(min_length=1)]
    version: Annotated[int, Meta(ge=1, le=10_000)] = 1
    rotation: Literal["mapped", "forgotten"] = "forgotten"


def check(agreements: Sequence[WrittenAgreement], schemas: Mapping[str, type], wrong: Wrong) -> None:
    """Raise ``wrong`` for the first pseudonym that would hide nothing, or that nothing could be done with."""
    first: dict[str, tuple[int, Pseudonyms]] = {}
    for index, agreement in enumerate(agreements):
        told = agreement.pseudonyms
        if told is None:
            continue
        at = f"agreements[{index}].pseudonyms"
        if told.recipient not in agreement.between:
            raise wrong(f"{told.recipient} is not a party of agreement {agreement.name}", f"{at}.recipient")
        _, other = first.setdefault(told.recipient, (index, told))
        if (other.version, other.rotation) != (told.version, told.rotation):
            raise wrong(f"{told.recipient} has one key: write the same version and rotation everywhere", at)
        _check_fields(agreement, told, schemas, at, wrong)
    for index, agreement in enumerate(agreements):
        for number, flow in enumerate(agreement.flows):
            hidden = agreement.pseudonyms is not None and agreement.pseudonyms.recipient == flow.target
            if flow.target in first and not hidden:
                _check_open(first[flow.target][1], flow, f"agreements[{index}].flows[{number}]", wrong)


def _check_fields(
    agreement: WrittenAgreement, told: Pseudonyms, schemas: Mapping[str, type], at: str, wrong: Wrong
) -> None:
    flows = [flow for flow in agreement.flows if flow.target == told.recipient]
    for number, name in enumerate(told.fields):
        here = f"{at}.fields[{number}]"
        if told.fields.index(name) != number:
            raise wrong(f"field {name} is listed twice", here)
        carrying = [flow for flow in flows if name in flow.fields_sent]
        if not carrying:
            raise wrong(f"no flow of agreement {agreement.name} carries {name} to {told.recipient}", here)
        for flow in carrying:
            facts = _facts(schemas[flow.schema])[name]
            if facts.get("sensitivity") != "identifier" or not facts["text"]:
                raise wrong(f"{name} of {flow.schema} is no identifier, so a pseudonym of it says nothing", here)
            if facts.get("protected"):
                raise wrong(f"{name} is a name or an address: leave it out instead", here)
    _check_beside(agreement, told, schemas, at.removesuffix(".pseudonyms"), wrong)


def _check_beside(
    agreement: WrittenAgreement, told: Pseudonyms, schemas: Mapping[str, type], at: str, wrong: Wrong
) -> None:
    """What stands beside a pseudonym must not say who it is."""
    for number, flow in enumerate(agreement.flows):
        if flow.target != told.recipient or not flow.fields_sent & set(told.fields):
            continue
        facts_of = _facts(schemas[flow.schema])
        for owner, owned in flow.fields.items():
            for index, name in enumerate(owned):
                place = f"{at}.flows[{number}].fields.{owner}[{index}]"
                if facts_of[name].get("protected"):
                    raise wrong(f"{name} names the person beside the pseudonym: leave it out", place)
                if facts_of[name]["cpr"] and name not in told.fields:
                    raise wrong(f"{name} is a CPR number beside the pseudonym: add it to pseudonyms.fields", place)


def _check_open(told: Pseudonyms, flow: Any, at: str, wrong: Wrong) -> None:
    """Another agreement must not give the same recipient in the open what this one hides."""
    for owner, owned in flow.fields.items():
        for index, name in enumerate(owned):
            if name in told.fields:
                raise wrong(
                    f"{flow.target} gets {name} as a pseudonym elsewhere in this file: in the open here, it hides nothing",
                    f"{at}.fields.{owner}[{index}]",
                )


def _facts(struct: type) -> dict[str, dict[str, Any]]:
    """What the schema says of each field, and whether it is text and a CPR number."""
    found: dict[str, dict[str, Any]] = {}
    for field in msgspec.structs.fields(struct):
        kind: Any = msgspec.inspect.type_info(field.type)
        extra: dict[str, Any] = {}
        while isinstance(kind, msgspec.inspect.Metadata | msgspec.inspect.UnionType):
            if isinstance(kind, msgspec.inspect.Metadata):
                extra |= kind.extra or {}
                kind = kind.type
            else:
                kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
        text = isinstance(kind, msgspec.inspect.StrType)
        found[field.name] = {**extra, "text": text, "cpr": text and extra.get("da", "").endswith("personnummer")}
    return found
