"""The extract as the civil registration system writes it: up to three lines for a person, a count at the end."""

from __future__ import annotations

from pathlib import Path

from samspil.testing.drop import DropSandbox, Row
from samspil.testing.facts import Fact


def person(fact: Fact) -> Row:
    where = fact["address"] or {}
    return {
        "Noegle": fact["id"],
        "Personnummer": fact["cpr"],
        "TidligerePersonnummer": fact["replaced_cpr"],
        "Status": fact["status"],
        "Kommunekode": fact["municipality_code"],
        "Adressebeskyttelse": "J" if fact["address_protected"] else "N",
        "Vejadresse": where.get("street"),
        "Postnummer": where.get("postal_code"),
        "Postdistrikt": where.get("city"),
        "Fornavne": fact["given_names"],
        "Efternavn": fact["family_name"],
    }


class CprExtractSandbox(DropSandbox):
    """See ``samspil.testing.drop.sandbox`` for its files and faults."""

    folder = Path(__file__).parent
    renders = {"person": person}  # noqa: RUF012 - never changed
