from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from samspil import mapping
from samspil.codes import Code, CodeList
from samspil.connector import Field

TODAY = date(2026, 11, 22)

ROWS = """\
record: Bestilling
rows:
  - {theirs: BestillingId, ours: id}
  - {theirs: Borger.CPR, ours: cpr, as: cpr}
  - {theirs: Borger.Navn, ours: [given_names, family_name], as: name_parts}
  - {theirs: Borger.Adresse.Vej, ours: address.street}
  - {theirs: Borger.Adresse.By, ours: address.city}
  - {theirs: Gruppe, ours: group, as: {code: {list: group, values: {"2.2": "2", "2.3": "3", "9": "9", "12": "12"}}}}
  - {theirs: Periode.Start, ours: start, as: date}
  - {theirs: Periode.Slut, ours: end, as: {date: dd-mm-yyyy}}
  - {theirs: Timer, ours: hours, as: decimal_comma}
  - {theirs: Bestilt, ours: ordered_at, as: timestamp}
  - {theirs: "Deltager[]", ours: "participants[]"}
  - theirs: Maal.Element[]
    ours: goals[]
    rows:
      - {theirs: Id, ours: id}
      - {theirs: Titel, ours: title}
      - {theirs: Status, ours: status, as: code}
  - {theirs: Kilde.System, constant: samspil}
lost:
  - {theirs: InternNote, why: no legal basis to pass it on}
  - {theirs: "Maal.Element[].Farve", why: says nothing}
  - {ours: price_package, why: the system has no field for it}
"""

FIELDS = {
    "BestillingId": Field(required=True),
    "Borger.CPR": Field(required=True),
    "Borger.Navn": Field(required=False),
    "Borger.Adresse": Field(required=False),
    "Borger.Adresse.Vej": Field(required=True),
    "Borger.Adresse.By": Field(required=True),
    "Gruppe": Field(required=True),
    "Periode.Start": Field(required=True),
    "Periode.Slut": Field(required=False),
    "Timer": Field(required=True),
    "Bestilt": Field(required=True),
    "Deltager[]": Field(required=False),
    "Maal.Element[].Id": Field(required=True),
    "Maal.Element[].Titel": Field(required=True),
    "Maal.Element[].Status": Field(required=True),
    "Maal.Element[].Farve": Field(required=False),
    "InternNote": Field(required=False),
    "Kilde.System": Field(required=True),
}


def about(da: str, **extra: Any) -> Meta:
    return Meta(extra={"da": da, **extra})


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    street: Annotated[str, about("vej", protected=True)]
    city: Annotated[str, about("by", protected=True)]


class Goal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, about("nøgle")]
    title: Annotated[str, Meta(max_length=20), about("mål")]
    status: Annotated[str, about("status", code_list="status", valid_on="ordered_at")]


class Order(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=10), about("nøgle")]
    cpr: Annotated[str, Meta(pattern="^[0-9]{6}[0-9A-Z]{4}$"), about("personnummer")]
    given_names: Annotated[str | None, about("fornavne", protected=True)] = None
    family_name: Annotated[str | None, about("efternavn", protected=True)] = None
    address: Annotated[Address | None, about("adresse", protected=True)] = None
    group: Annotated[str, about("målgruppe", code_list="group", valid_on="start")]
    start: Annotated[date, about("startdato")]
    end: Annotated[date | None, about("slutdato")] = None
    hours: Annotated[Decimal, about("timer")]
    ordered_at: Annotated[datetime, Meta(tz=True), about("bestilt")]
    participants: Annotated[list[Annotated[str, Meta(max_length=20)]], about("deltagere")] = []
    goals: Annotated[list[Goal], Meta(max_length=3), about("mål")] = []
    price_package: Annotated[str | None, about("takstpakke")] = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("end: is before the start")


RECORD = {
    "BestillingId": "B-1",
    "Borger": {"CPR": "6101800017", "Navn": "Åse Marie Prøve", "Adresse": {"Vej": "Øvej 1", "By": "Prøveby"}},
    "Gruppe": "2.2",
    "Periode": {"Start": "2026-02-01", "Slut": "31-08-2026"},
    "Timer": "37,00",
    "Bestilt": "2026-01-15T10:00:00+01:00",
    "Deltager": ["Bo", "Ib"],
    "Maal": {
        "Element": [
            {"Id": "1", "Titel": "Møde til tiden", "Status": "open"},
            {"Id": "2", "Titel": "Praktik", "Status": "done"},
        ]
    },
    "Kilde": {"System": "samspil"},
}


def code(name: str, start: str = "2020-01-01", end: str = "") -> Code:
    return Code(name, date.fromisoformat(start), date.fromisoformat(end) if end else None, name, name)


LISTS = {
    "group": CodeList("group", [code("2"), code("3"), code("9", end="2026-06-01"), code("12", start="2026-03-01")]),
    "status": CodeList("status", [code("open"), code("done"), code("new", start="2026-01-16")]),
}


class Workshop:
    """Loads a mapping from text, with the pieces above unless others are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "system").mkdir()

    def write(self, text: str, municipality: str = "") -> Path:
        path = self.folder / "system" / f"order{'.' * bool(municipality)}{municipality}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, text: str = ROWS, municipality: str | None = None, **others: Any) -> mapping.Mapping:
        self.write(text)
        given = {"fields": FIELDS, "struct": Order, "folder": self.folder, "on": TODAY, "lists": LISTS, **others}
        return mapping.load("system", "order", municipality, **given)

    def edited(self, old: str, new: str, **others: Any) -> mapping.Mapping:
        """The mapping with one piece of its text exchanged."""
        assert old in ROWS
        return self.load(ROWS.replace(old, new), **others)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def fields() -> dict[str, Field]:
    return dict(FIELDS)


@pytest.fixture
def rows() -> str:
    return ROWS


@pytest.fixture
def order() -> type[Order]:
    return Order


@pytest.fixture
def lists() -> Mapping[str, CodeList]:
    return LISTS


@pytest.fixture
def changed() -> Callable[..., dict[str, Any]]:
    """A copy of the record with one place set, by dotted path with numbers for lists; ``...`` takes it away."""

    def change(path: str = "", value: Any = ...) -> dict[str, Any]:
        record = _copy(RECORD)
        if path:
            *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
            holder: Any = record
            for part in above:
                holder = holder[part]
            if value is ...:
                del holder[last]
            else:
                holder[last] = value
        return record

    return change


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
