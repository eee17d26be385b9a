"""The jobcenter's case about a citizen (sag)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, KLE, Code, Cpr, Key, Kle, Name, about, check_period


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One case; a citizen may have several open at once."""

    id: Annotated[Key, about("The sending system's key.", da="sagsnummer", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    opened: Annotated[date, about("First day of the case.", da="oprettet", unit="day")]
    closed: Annotated[date | None, about("Last day of the case, if closed.", da="afsluttet", unit="day")] = None
    kle: Annotated[Kle, about("Subject number NN.NN.NN.", da="KLE-emne", source=KLE)]
    target_group: Annotated[
        Code,
        about(
            "Target group of the employment act; some tell of illness.",
            da="målgruppe",
            sensitivity="sensitive",
            source=f"BEK 2636/2021 § 1; {DATA_PROTECTION}",
            code_list="target_group",
            valid_on="opened",
        ),
    ]
    case_worker: Annotated[Name | None, about("Name of the case worker.", da="sagsbehandler")] = None

    def __post_init__(self) -> None:
        check_period(self.opened, self.closed, "closed")
