"""Counting: a source's records, by the dimensions a report names. What is counted is forgotten page by page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from samspil.agreement import Agreement
from samspil.agreement.reports import Axis, Report
from samspil.errors import Refused, SettingsError
from samspil.ledger import READ_UNCHANGED
from samspil.report.table import Cell, Counts, totals

if TYPE_CHECKING:
    from samspil.hub import Hub

UNKNOWN = "unknown"  # the category of a record that has no value there


class Counted(NamedTuple):
    """A report's table. ``categories`` are those of each axis that were met, sorted; ``refused`` could not be read."""

    counts: Counts
    categories: Sequence[Sequence[str]]
    refused: int


def count(hub: Hub, agreement: Agreement, report: Report) -> Counted:
    """Read and count. Raises SettingsError, AccessError or Unavailable. That it was read is in the ledger."""
    others = {axis.of for axis in report.axes if axis.of is not None}
    pointed = {schema: _pointed(hub, agreement, report, schema) for schema in sorted(others)}
    records: Counter[tuple[str, ...]] = Counter()
    persons: dict[tuple[str, ...], set[bytes]] = defaultdict(set)
    refused = 0
    person = hub.vault.digest("person")
    for ours in _records(hub, agreement, report, report.source, report.schema):
        if ours is None:
            refused += 1
            continue
        where = tuple(
            _category(axis, ours if axis.of is None else pointed[axis.of].get(ours.order_id, {}))
            for axis in report.axes
        )
        records[where] += 1
        persons[where].add(person(ours.cpr.encode()))
    categories = [sorted({where[n] for where in records}) for n in range(len(report.axes))]
    places = [{name: n for n, name in enumerate(names)} for names in categories]

    def cell(where: tuple[str, ...]) -> Cell:
        return tuple(place[name] for place, name in zip(places, where, strict=True))

    found: dict[Cell, set[bytes]] = defaultdict(set)
    for where, who in persons.items():
        for above in totals(cell(where)):
            found[above] |= who
    counts = Counts(
        [len(names) for names in categories],
        {cell(where): many for where, many in records.items()},
        {above: len(who) for above, who in found.items()},
    )
    return Counted(counts, categories, refused)


def _pointed(hub: Hub, agreement: Agreement, report: Report, schema: str) -> Mapping[str, Mapping[str, Any]]:
    """Of each record of another schema that records point at, what the axes want, by its id."""
    wanted = [axis.field for axis in report.axes if axis.of == schema]
    source = next((party for party in agreement.between if schema in hub.connector(party).reads), None)
    if source is None:
        raise SettingsError(f"neither party gives {schema}", field=f"report {report.name}")
    found = _records(hub, agreement, report, source, schema)
    return {ours.id: {name: getattr(ours, name) for name in wanted} for ours in found if ours is not None}


def _records(hub: Hub, agreement: Agreement, report: Report, system: str, schema: str) -> Iterator[Any]:
    """Every record as the shared schema has it; None for one that cannot be read."""
    source = hub.connector(system)
    if schema not in source.reads:
        raise SettingsError(f"{system} does not give {schema}", field=f"report {report.name}")
    to_ours = hub.mapping(system, schema, "to_ours").to_ours
    key, person = hub.vault.digest(f"report/{report.name}"), hub.vault.digest("person")
    context = {
        "what": "report",
        "report": report.name,
        "from": system,
        "schema": schema,
        "agreement": agreement.name,
        "purpose": agreement.purpose,
        "legal_basis": agreement.legal_basis,
        "fields": sorted({axis.field for axis in report.axes}),
    }
    for page in source.read(schema):
        read: list[tuple[bytes, bytes, Any]] = []
        for _ in page.rejected:
            yield None
        for name, decoded in zip(page.keys, source.decode(schema, page.raws), strict=True):
            try:
                if isinstance(decoded, Refused):
                    raise decoded
                ours = to_ours(decoded)
            except Refused as refused:
                refused.kept()
                yield None
                continue
            read.append((key(name), person(ours.cpr.encode()), ours))
        with hub.persons.making(), hub.store.transaction() as connection:
            erased = hub.persons.fetch(connection, new=[who for _, who, _ in read])
            counted = [one for one in read if one[1] not in erased]
            if counted:
                seen = [(digest, who, 0, 0, READ_UNCHANGED) for digest, who, _ in counted]
                hub.ledger.append(connection, context, hub.ledger.pack(seen))
        yield from (ours for _, _, ours in counted)


def _category(axis: Axis, of: Any) -> str:
    value = of.get(axis.field) if isinstance(of, Mapping) else getattr(of, axis.field)
    if value is None:
        return UNKNOWN
    if isinstance(value, date):  # a datetime is one too
        periods = {
            "month": f"{value:%Y-%m}",
            "quarter": f"{value.year}-K{(value.month + 2) // 3}",  # kvartal, as the StatBank writes it
            "year": str(value.year),
        }
        return periods[axis.by or "year"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
