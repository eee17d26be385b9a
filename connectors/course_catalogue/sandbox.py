"""The course register on this machine: a real PostgreSQL database with the world's activities in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from samspil.testing.database.postgresql import PostgresqlSandbox
from samspil.testing.facts import Fact

KINDS = {"guidance": "VEJL", "education": "UDD", "stu": "STU", "placement": "PRAK", "mentor": "MENT"}
COLUMNS = "aktivitet_id, cpr, type_kode, titel, p_nummer, startdato, slutdato, timer_pr_uge, sagsbehandler, rettet"
TABLE = """
CREATE TABLE IF NOT EXISTS aktiviteter (
    aktivitet_id varchar(20) PRIMARY KEY,
    cpr varchar(10) NOT NULL,
    type_kode varchar(10) NOT NULL,
    titel varchar(200) NOT NULL,
    p_nummer varchar(10) NOT NULL,
    startdato varchar(10) NOT NULL,
    slutdato varchar(10),
    timer_pr_uge numeric(5, 2),
    sagsbehandler varchar(100),
    rettet timestamp with time zone NOT NULL,
    noter text
)
"""
TAPS = Path(__file__).parents[2] / "build" / "peers" / "singer"  # tools/singer_peer.py installs the tap there


class CourseCatalogueSandbox(PostgresqlSandbox):
    """``noter`` is a column that the agreement leaves out: a read that shows it has read too much."""

    def account_fields(self) -> dict[str, Any]:
        return {**super().account_fields(), "extra": {"taps": str(TAPS)}}

    def fill(self, connection: Connection) -> None:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql("TRUNCATE aktiviteter")
        broken = self.world.broken("activity", self.night)
        rows = [_row(fact, broken.get(fact["id"], "")) for fact in self.world.records("activity", self.night)]
        places = ", ".join(["%s"] * (len(rows[0]) if rows else 0))
        if rows:
            connection.exec_driver_sql(f"INSERT INTO aktiviteter ({COLUMNS}, noter) VALUES ({places})", rows)

    def held(self, schema: str) -> dict[str, dict[str, Any]]:
        """The rows of ``aktiviteter`` by key; nothing of any other schema."""
        if schema != "activity":
            return {}
        with self.engine.begin() as connection:
            found = connection.exec_driver_sql(f"SELECT {COLUMNS} FROM aktiviteter").mappings()
            return {row["aktivitet_id"]: dict(row) for row in found}


def _row(fact: Fact, damage: str) -> tuple[Any, ...]:
    """A table takes neither unknown fields nor broken syntax: such a record lacks its hours instead."""
    lacking = damage in ("missing-field", "unknown-field", "broken-syntax")
    return (
        fact["id"],
        "0000000000" if damage == "bad-cpr" else fact["cpr"],
        "XX" if damage == "unknown-code" else KINDS[fact["kind"]],
        fact["title"],
        fact["provider"],
        "2026-02-30" if damage == "bad-date" else fact["start"].isoformat(),
        fact["end"] and fact["end"].isoformat(),
        None if lacking else fact["hours_per_week"],
        fact["case_worker"],
        f"{fact['start'].isoformat()}T08:00:00+00:00",
        "Fortrolig bemærkning fra underviseren",
    )
