"""The data warehouse on this machine: its tables in a real PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samspil.testing.database import DatabaseSandbox
from samspil.testing.facts import Fact


def attendance(fact: Fact) -> dict[str, Any]:
    return {
        "fremmoede_id": fact["id"],
        "cpr": fact["cpr"],
        "bestilling_id": fact["order_id"],
        "aktivitet_id": fact["activity_id"],
        "dato": fact["date"],
        "status": fact["status"],
        "timer": fact["hours"],
        "kilde": "journal",
    }


def placement(fact: Fact) -> dict[str, Any]:
    return {
        "praktik_id": fact["id"],
        "cpr": fact["cpr"],
        "bestilling_id": fact["order_id"],
        "cvr": fact["company_cvr"],
        "p_nummer": fact["company_p_number"],
        "virksomhed": fact["company_name"],
        "art": fact["kind"],
        "startdato": fact["start"],
        "slutdato": fact["end"],
        "timer_pr_uge": fact["hours_per_week"],
        "loentilskud": fact["wage_subsidy"],
    }


class DataWarehouseSandbox(DatabaseSandbox):
    """A typed column holds no bad date and a required one is never empty: such a row shows an unknown code."""

    folder = Path(__file__).parent
    renders = {"attendance": attendance, "placement": placement}  # noqa: RUF012 - never changed

    def damage(self, schema: str, row: dict[str, Any], kind: str) -> None:
        if kind == "bad-cpr":
            row["cpr"] = "0000000000"
        else:
            row["status" if schema == "attendance" else "art"] = "UKENDT"
