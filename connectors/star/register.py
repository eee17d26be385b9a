"""What STAR holds: activities per organisation, and the code lists with their dates. Used by the sandbox only."""

from __future__ import annotations

import csv
import threading
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from connectors.star.faults import ALREADY_REGISTERED, CPR
from connectors.star.message import Request, StarFault

Fields = dict[str, object]

CODES: Final = Path(__file__).parent / "codes.csv"


class Code(NamedTuple):
    """A row of a code list; ISO dates compare as text, "" is open. The start is inclusive, the end exclusive."""

    name: str
    start: str
    end: str


@dataclass
class Held:
    """An activity as registered, whose it is, and the receipt of the write that made it so."""

    organisation: str
    activity: Fields
    registered: Fields


class Register:
    """Activities of all organisations. ``persons`` are the CPR numbers that exist."""

    def __init__(self, persons: Collection[str]) -> None:
        self.persons = set(persons)
        self.codes = _codes()
        self.held: dict[str, Held] = {}  # by STAR's own identifier
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Fields:
        """Carry out a request. Raises StarFault; then nothing has changed."""
        with self._lock:
            match request.operation:
                case "CreateActivity":
                    return self._create(request)
                case "UpdateActivity":
                    return self._update(request)
                case "DeleteActivity":
                    return self._delete(request)
                case "GetActivity":
                    return self._get(request)
                case _:
                    return self._code_list(str(request.body["CodeListName"]))

    def _create(self, request: Request) -> Fields:
        activity = self._valid(request.body["Activity"])
        if self._find(request.organisation, activity["ExternalIdentifier"]):
            raise StarFault(ALREADY_REGISTERED)
        return self._keep(str(uuid.uuid4()), request.organisation, activity)

    def _update(self, request: Request) -> Fields:
        identifier = str(request.body["ActivityIdentifier"])
        activity = self._valid(request.body["Activity"])
        held = self._own(request.organisation, identifier)
        if held is None or held.activity["ExternalIdentifier"] != activity["ExternalIdentifier"]:
            raise StarFault(1014)
        return self._keep(identifier, request.organisation, activity)

    def _delete(self, request: Request) -> Fields:
        """Deleting what is gone is answered as if it had just gone."""
        identifier = str(request.body["ActivityIdentifier"])
        self._own(request.organisation, identifier)
        self.held.pop(identifier, None)
        return _receipt(identifier)

    def _get(self, request: Request) -> Fields:
        if "ActivityIdentifier" in request.body:
            held = self._own(request.organisation, str(request.body["ActivityIdentifier"]))
        else:
            held = self._find(request.organisation, request.body["ExternalIdentifier"])
        return {"Registered": held.registered, "Activity": held.activity} if held else {}

    def _code_list(self, name: str) -> Fields:
        if name not in self.codes:
            raise StarFault(2001)
        return {
            "CodeListItem": [
                {"CodeListItemIdentifier": key, "CodeListItemName": code.name, "StartDate": code.start}
                | ({"EndDate": code.end} if code.end else {})
                for key, code in self.codes[name].items()
            ]
        }

    def _keep(self, identifier: str, organisation: str, activity: Fields) -> Fields:
        receipt = _receipt(identifier)
        self.held[identifier] = Held(organisation, activity, receipt)
        return receipt

    def _find(self, organisation: str, external: object) -> Held | None:
        own = (held for held in self.held.values() if held.organisation == organisation)
        return next((held for held in own if held.activity["ExternalIdentifier"] == external), None)

    def _own(self, organisation: str, identifier: str) -> Held | None:
        held = self.held.get(identifier)
        if held and held.organisation != organisation:
            raise StarFault(4922)
        return held

    def _valid(self, activity: object) -> Fields:
        assert isinstance(activity, dict)  # noqa: S101 - the schema has been checked
        if activity[CPR] not in self.persons:
            raise StarFault(1010)
        start, end = str(activity["StartDate"]), str(activity.get("EndDate", "9999-12-31"))
        if end < start:
            raise StarFault(1014)
        code = self.codes["ActivationType"].get(activity["ActivationTypeIdentifier"]["CodeListItemIdentifier"])
        if code is None:
            raise StarFault(2002)
        if start < code.start or (code.end and start >= code.end):
            raise StarFault(2003)
        return activity


def _receipt(identifier: str) -> Fields:
    return {
        "ServiceCallReferenceIdentifier": str(uuid.uuid4()),
        "ActivityIdentifier": identifier,
        "RegistrationDateTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
    }


def _codes() -> Mapping[str, dict[str, Code]]:
    lists: dict[str, dict[str, Code]] = {}
    with CODES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = Code(row["name"], row["valid_from"], row["valid_to"])
            lists.setdefault(row["list"], {})[row["code"]] = code
    return lists
