"""A meeting about the citizen (møde, samtale)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, Code, Cpr, Key, LongText, Moment, Name, about


class Meeting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One meeting that was held, with its minutes."""

    id: Annotated[Key, about("The sending system's key of the meeting.", da="mødets nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key | None, about("The order the meeting was about.", da="bestillingsnummer", sensitivity="identifier")
    ] = None
    kind: Annotated[
        Code, about("What kind of meeting it was.", da="mødetype", code_list="meeting_kind", valid_on="held_at")
    ]
    held_at: Annotated[Moment, about("When it began.", da="mødetidspunkt", unit="moment with UTC offset")]
    participants: Annotated[
        list[Name],
        Meta(max_length=50),
        about("Names of those who took part.", da="deltagere", sensitivity="identifier"),
    ] = []
    minutes: Annotated[
        LongText | None,
        about("What was said and agreed.", da="referat", sensitivity="sensitive", source=DATA_PROTECTION),
    ] = None
