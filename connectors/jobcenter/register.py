"""What the sandbox has received: checked as a jobcenter would, kept, and answered with a Kvittering per record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from lxml import etree

from connectors.jobcenter.contract import NAMESPACE, RECORDS, record_type, shape
from connectors.jobcenter.words import rendered
from samspil import xml
from samspil.errors import Refused
from samspil.testing.world import World

Kept = Mapping[str, MutableMapping[str, dict[str, Any]]]


class Register:
    """Records by their sender's id, with the jobcenter's own number for each.

    The same AfleveringsId twice gets the same Kvittering and changes nothing.
    """

    def __init__(self, world: World, kept: Kept) -> None:
        self._world, self._kept = world, kept
        self._receipts: dict[str, bytes] = {}  # by AfleveringsId
        self._numbers: dict[str, tuple[str, str]] = {}  # our number → schema, sender's id
        self._orders: dict[int, dict[str, str]] = {}  # night → order → citizen

    def deliver(self, schema: str, deliveries: Iterable[etree._Element], night: int) -> list[bytes]:
        """A Kvittering for each."""
        return [self._deliver(schema, one, night) for one in deliveries]

    def failed(self, deliveries: Iterable[etree._Element]) -> list[bytes]:
        """A Kvittering for each that says the system failed at it; nothing is kept."""
        return [
            _receipt(xml.text(one, "AfleveringsId"), transport="FEJL", business="FEJLET", code="INTERN")
            for one in deliveries
        ]

    def found(self, schema: str, number: str) -> bytes | None:
        """The record with this Registreringsnummer, as XML."""
        of, key = self._numbers.get(number, ("", ""))
        return (
            rendered(RECORDS[schema], self._kept[schema][key]) if of == schema and key in self._kept[schema] else None
        )

    def _deliver(self, schema: str, delivery: etree._Element, night: int) -> bytes:
        key = xml.text(delivery, "AfleveringsId")
        if key not in self._receipts:
            self._receipts[key] = self._handled(schema, delivery, key, night)
        return self._receipts[key]

    def _handled(self, schema: str, delivery: etree._Element, key: str, night: int) -> bytes:
        element = delivery[-1]
        record = record_type(schema).decode([xml.canonical(element, shape(schema).prefixes)])[0]
        if isinstance(record, Refused):
            return _receipt(key, business="AFVIST", code="SKEMA", field=record.field)
        sender = record[f"{RECORDS[schema]}Id"]
        number = f"R{RECORDS[schema][:2].upper()}-{sender}"
        given = delivery.findtext(f"{{{NAMESPACE}}}Registreringsnummer")
        if given and given != number:
            return _receipt(key, business="AFVIST", code="UKENDT_REGISTRERING", field="Registreringsnummer")
        if xml.text(delivery, "Handling") == "TILBAGETRAEK":
            if sender not in self._kept[schema]:
                return _receipt(key, business="AFVIST", code="UKENDT_REGISTRERING", field=f"{RECORDS[schema]}Id")
            del self._kept[schema][sender]
            return _receipt(key, number=number)
        citizen = self._orders_of(night).get(record["BestillingId"])
        if citizen is None:
            return _receipt(key, business="AFVIST", code="UKENDT_BESTILLING", field="BestillingId")
        if citizen != record["CPRnummer"]:
            return _receipt(key, business="AFVIST", code="ANDEN_BORGER", field="CPRnummer")
        self._kept[schema][sender] = record
        self._numbers[number] = (schema, sender)
        return _receipt(key, number=number)

    def _orders_of(self, night: int) -> dict[str, str]:
        """Orders known on a night, those since withdrawn included, with their citizen."""
        if night not in self._orders:
            self._orders[night] = {
                fact["id"]: fact["cpr"]
                for each in range(1, night + 1)
                for fact in self._world.records("course_order", each)
            }
        return self._orders[night]


def _receipt(
    key: str,
    *,
    transport: str = "OK",
    business: str = "ACCEPTERET",
    code: str | None = None,
    field: str | None = None,
    number: str | None = None,
) -> bytes:
    parts = {
        "AfleveringsId": key,
        "Transport": transport,
        "Forretning": business,
        "Fejlkode": code,
        "Felt": field,
        "Registreringsnummer": number,
    }
    return rendered("Kvittering", {name: part for name, part in parts.items() if part})
