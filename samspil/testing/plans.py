"""Plans that a centre gives and an office takes: the small exchange on which interruptions are tried."""

from __future__ import annotations

from typing import Any

FLOW = "centre-action_plan-office"
FILE = """
municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
systems:
  centre: {connector: database, connection: m_centre}
  office: {connector: database, connection: m_office}
schedule: "0 2 * * *"
deadline: "06:00"
agreements:
  - name: stu
    between: [centre, office]
    purpose: follow-up
    legal_basis: an example
    flows:
      - schema: action_plan
        from: centre
        to: office
        rhythm: nightly
        guard: {changes: 100, deletions: 100, smallest_read: 0}
        only: {order_id: [mine]}
        fields: {centre: [id, cpr, order_id, title, author, updated_at, start, purpose, goals]}
"""  # the connectors' fields are those of ``database``, whose mapping is one to one; who speaks is another


def plan(key: str, person: int, order: str = "mine", **fields: Any) -> dict[str, Any]:
    """A plan in the database's words; only plans of the order ``mine`` may be sent. Persons are numbers below 10,000."""
    return {
        "id": key,
        "cpr": f"{61 + person % 30}0190{person:04}",
        "order_id": order,
        "title": "Plan",
        "author": "A. B.",
        "updated_at": "2026-01-01T00:00:00+00:00",
        "start": "2026-01-01",
        "purpose": "Work",
        **fields,
    }
