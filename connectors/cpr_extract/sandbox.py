"""The extract as the civil registration system writes it: up to three lines for a person, a count at the end."""

from __future__ import annotations

from pathlib import Path

from samspil.testing.drop import DropSandbox
from samspil.testing.dropfiles import Row
from samspil.testing.facts import Fact


class CprExtractSandbox(DropSandbox):
    """See ``samspil.testing.drop`` for its files and faults."""

    file = Path(__file__).with_name("connector.yaml")

    def row(self, schema: str, fact: Fact) -> Row:  # noqa: ARG002 - there is one schema
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
