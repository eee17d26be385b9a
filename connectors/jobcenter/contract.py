"""What our contract calls things, and its codes by what can be done about them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from samspil.cut import RecordShape
from samspil.errors import AccessError, Refused, Unavailable
from samspil.soap import Codes
from samspil.xsd import RecordType

HERE = Path(__file__).parent
NAMESPACE = "urn:samspil:jobcenter:1"
PREFIX = "jc"

RECORDS = {
    "course_order": "Bestilling",
    "activity": "Aktivitet",
    "attendance": "Fremmoede",
    "journal_note": "Notat",
    "status_note": "Statusnotat",
    "action_plan": "Handleplan",
    "assessment": "Vurdering",
    "placement": "Praktik",
}
READS = ("course_order", "activity")

CODES = Codes(
    faults={
        "SIKKERHEDSMODEL": AccessError,
        "MYNDIGHED": AccessError,
        "RETTIGHED": AccessError,
        "OPTAGET": Unavailable,
        "INTERN": Unavailable,
        "SKEMA": Refused,
        "STOERRELSE": Refused,
        "44": Refused,  # business status: not found
        "50": Unavailable,  # business status: internal
    },
    status="StatusKode",
    passed=frozenset({"20"}),
)


def shape(schema: str) -> RecordShape:
    """The record that carries a shared schema. Each is keyed by its first element, called after it."""
    record = RECORDS[schema]
    return RecordShape(NAMESPACE, record, f"{record}Id", PREFIX)


@cache
def record_type(schema: str) -> RecordType:
    """The same, by our XSD."""
    return RecordType(HERE / "jobcenter.xsd", shape(schema))
