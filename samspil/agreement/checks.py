"""What a municipality's file must fulfil beyond its form. Each check raises a SettingsError at the offending field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec
from stdnum.dk import cvr

from samspil.agreement import consent, pseudonyms, reports
from samspil.agreement.both_ways import check_two_way
from samspil.agreement.terms import WrittenAgreement, WrittenFile, WrittenFlow, opposite
from samspil.errors import SettingsError
from samspil.yamlfile import YamlFile

File = YamlFile[WrittenFile]


def check(file: File, schemas: Mapping[str, type]) -> None:
    """Raise SettingsError for the first thing wrong in the file; return if it can be used."""
    if not cvr.is_valid(file.value.municipality.cvr):
        raise file.error("is not a CVR number (its check digit is wrong)", at="municipality.cvr")
    _check_schedule(file)
    _check_systems(file)
    for at, agreement in _agreements(file):
        _check_parties(file, at, agreement)
        owners: dict[tuple[str, str], str] = {}
        for index, flow in enumerate(agreement.flows):
            _check_flow(file, f"{at}.flows[{index}]", flow, agreement, schemas, owners)
        for index, flow in enumerate(agreement.flows):  # when it is known that each field has one owner
            check_two_way(file, f"{at}.flows[{index}].fields", flow, agreement, schemas[flow.schema])
    _check_order(file)

    def wrong(message: str, at: str) -> SettingsError:
        return file.error(message, at=at)

    for part in (pseudonyms, consent, reports):
        part.check(file.value.agreements, schemas, wrong)


_CRON = (  # lowest, highest, names: minute, hour, day of month, month, day of week
    (0, 59, ""),
    (0, 23, ""),
    (1, 31, ""),
    (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    (0, 7, "sun mon tue wed thu fri sat"),
)


def _check_schedule(file: File) -> None:
    fields = file.value.schedule.split()
    if len(fields) != len(_CRON):
        raise file.error("a cron expression has five fields: minute hour day month weekday", at="schedule")
    for text, (low, high, names) in zip(fields, _CRON, strict=True):
        if not all(_cron_part(part, low, high, names.split()) for part in text.lower().split(",")):
            raise file.error(f"the cron field {text!r} is not within {low}-{high}", at="schedule")


def _cron_part(part: str, low: int, high: int, names: list[str]) -> bool:
    """Whether one part is ``*``, ``n`` or ``n-m``, each with or without ``/step``."""
    match = re.fullmatch(r"(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]+))?", part)
    if match is None:
        return False
    first, last, step = match.groups()
    numbers = [names.index(bound) + low if bound in names else bound for bound in (first, last) if bound is not None]
    if not all(str(number).isdecimal() and low <= int(number) <= high for number in numbers):
        return False
    return [int(number) for number in numbers] == sorted(int(number) for number in numbers) and step not in ("0", "00")


def _check_systems(file: File) -> None:
    used: dict[str, str] = {}
    for name, system in file.value.systems.items():
        if system.pool_slots < 1:
            raise file.error("write a whole number of at least 1", at=f"systems.{name}.pool_slots")
        other = used.setdefault(system.connection, name)
        if other != name:
            raise file.error(f"is the same system as {other}: name it once", at=f"systems.{name}.connection")


def _agreements(file: File) -> Iterator[tuple[str, WrittenAgreement]]:
    names: set[str] = set()
    for index, agreement in enumerate(file.value.agreements):
        at = f"agreements[{index}]"
        if agreement.name in names:
            raise file.error("another agreement has this name", at=f"{at}.name")
        names.add(agreement.name)
        yield at, agreement


def _check_parties(file: File, at: str, agreement: WrittenAgreement) -> None:
    for index, party in enumerate(agreement.between):
        if party not in file.value.systems:
            raise file.error(f"unknown system {party}: list it under systems", at=f"{at}.between[{index}]")
    if len(set(agreement.between)) != len(agreement.between):
        raise file.error("the same system twice: an agreement is between two", at=f"{at}.between")


def _check_flow(
    file: File,
    at: str,
    flow: WrittenFlow,
    agreement: WrittenAgreement,
    schemas: Mapping[str, type],
    owners: dict[tuple[str, str], str],
) -> None:
    for end, party in (("from", flow.source), ("to", flow.target)):
        if party not in file.value.systems:
            raise file.error(f"unknown system {party}: list it under systems", at=f"{at}.{end}")
        if party not in agreement.between:
            raise file.error(f"{party} is not a party of agreement {agreement.name}", at=f"{at}.{end}")
    if flow.source == flow.target:
        raise file.error("the same system twice: a flow goes from one party to the other", at=f"{at}.to")
    if flow.schema not in schemas:
        raise file.error(f"unknown schema {flow.schema}: there are {', '.join(sorted(schemas))}", at=f"{at}.schema")
    known = {field.name: field.type for field in msgspec.structs.fields(schemas[flow.schema])}
    _check_fields(file, f"{at}.fields", flow, agreement, known, owners)
    for name, values in flow.only.items():
        if name not in known:
            raise file.error(f"schema {flow.schema} has no such field", at=f"{at}.only.{name}")
        for index, value in enumerate(values):
            _check_value(file, f"{at}.only.{name}[{index}]", value, known[name])


def _check_fields(
    file: File,
    at: str,
    flow: WrittenFlow,
    agreement: WrittenAgreement,
    known: Mapping[str, Any],
    owners: dict[tuple[str, str], str],
) -> None:
    """Each field is in the schema, is listed once, and is sent by its one owner; a reference may be carried by both.

    Where the schema goes both ways, a side may also list what the other owns: see ``check_two_way``.
    """
    both_ways = opposite(flow, agreement.flows) is not None
    listed: set[str] = set()
    for owner, owned in flow.fields.items():
        if owner not in agreement.between:
            raise file.error(f"{owner} is not a party of agreement {agreement.name}", at=f"{at}.{owner}")
        for index, name in enumerate(owned):
            here = f"{at}.{owner}[{index}]"
            if name not in known:
                raise file.error(f"schema {flow.schema} has no field {name}", at=here)
            if name in listed:
                raise file.error(f"field {name} is listed twice", at=here)
            listed.add(name)
            if name == "id" if both_ways else _is_reference(known[name]):  # each side gives ids to what it makes
                continue
            if owners.setdefault((flow.schema, name), owner) != owner:
                raise file.error(f"field {name} has another owner in this agreement", at=here)
            if owner != flow.source and not both_ways:
                raise file.error(f"{flow.source} cannot send field {name}: {owner} owns it", at=here)
    if not listed:
        raise file.error("lists no field: a flow carries only what is listed", at=at)


def _is_reference(field: Any) -> bool:
    """Whether the field identifies a person or record without telling more: names and addresses do tell more."""
    extras = [part.extra or {} for part in getattr(field, "__metadata__", ()) if isinstance(part, msgspec.Meta)]
    identifies = any(extra.get("sensitivity") == "identifier" for extra in extras)
    return identifies and not any(extra.get("protected") for extra in extras)


def _check_value(file: File, at: str, value: object, kind: Any) -> None:
    """A filter compares for equality, so a value that the field could not hold as it stands would let nothing pass."""
    try:
        fits = not isinstance(value, (list, dict)) and msgspec.convert(value, kind) == value
    except msgspec.ValidationError:
        fits = False
    if not fits:
        raise file.error("can never match: the field does not take such a value", at=at)


def _check_order(file: File) -> None:
    """Flow names are unique in the municipality, and ``after`` names flows that exist and do not wait in a circle."""
    places: dict[str, str] = {}
    waits: dict[str, tuple[str, ...]] = {}
    for index, agreement in enumerate(file.value.agreements):
        for number, flow in enumerate(agreement.flows):
            at = f"agreements[{index}].flows[{number}]"
            if flow.name in places:
                raise file.error(f"flow {flow.name} is already in line {file.line(places[flow.name])}", at=at)
            places[flow.name], waits[flow.name] = at, flow.after
    for name, others in waits.items():
        for index, other in enumerate(others):
            if other not in waits:
                raise file.error(f"unknown flow {other}", at=f"{places[name]}.after[{index}]")
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise file.error(f"waits in a circle: {' → '.join(circle)}", at=f"{places[circle[0]]}.after") from None
