"""The archive on this machine: its WSDL and its declaration say it all but who is known to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from samspil.testing.soap import SoapSandbox


class CaseArchiveSandbox(SoapSandbox):
    """Shows its world's cases and documents and takes cases about citizens it knows."""

    folder = Path(__file__).parent
    settings = {"municipality_cvr": "29189609"}  # noqa: RUF012 - never changed
    attachments = True

    def refuses(self, schema: str, record: dict[str, Any]) -> tuple[str, str] | None:  # noqa: ARG002  # one is written
        known = {fact["cpr"] for night in range(1, self.night + 1) for fact in self.world.records("person", night)}
        return None if record["Part"]["CPRnummer"] in known else ("UKENDTPART", "Sag.Part.CPRnummer")
