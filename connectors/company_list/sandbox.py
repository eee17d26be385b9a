"""The list as a company consultant's system saves it: postal codes as text, numbers of places as numbers."""

from __future__ import annotations

from pathlib import Path

from samspil.testing.drop import DropSandbox, Row
from samspil.testing.facts import Fact


def company(fact: Fact) -> Row:
    where = fact["address"] or {}
    return {
        "Nummer": fact["id"],
        "CVR": int(fact["cvr"]),  # a spreadsheet takes it for a number; none begins with a zero
        "PNummer": fact["p_number"],
        "Virksomhed": fact["name"],
        "Adresse": where.get("street"),
        "Postnr": where.get("postal_code"),
        "By": where.get("city"),
        "Pladser": fact["places"],
        "LedigePladser": fact["free_places"],
    }


class CompanyListSandbox(DropSandbox):
    """See ``samspil.testing.drop.sandbox`` for its files and faults."""

    folder = Path(__file__).parent
    renders = {"company": company}  # noqa: RUF012 - never changed
