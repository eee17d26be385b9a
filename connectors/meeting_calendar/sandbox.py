"""A meeting calendar that stands in for the vendor's: all but the look of a meeting comes from the declaration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samspil.testing.facts import Fact
from samspil.testing.rest import RestSandbox


def meeting(fact: Fact) -> dict[str, Any]:
    return {
        "reference": fact["id"],
        "citizen": {"cprNumber": fact["cpr"]},
        "courseOrder": fact["order_id"],
        "meetingType": fact["kind"].upper().replace("-", "_"),
        "startsAt": fact["held_at"].isoformat(),
        "attendees": fact["participants"],
        "minutes": fact["minutes"],
    }


class MeetingCalendarSandbox(RestSandbox):
    """One department's calendar."""

    folder = Path(__file__).parent
    renders = {"meeting": meeting}  # noqa: RUF012 - never changed
