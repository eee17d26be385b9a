"""A note the centre writes during the course (forløbsnotat)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, Code, Cpr, Key, LongText, Moment, Name, about


class JournalNote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One note. Never a treatment note: there is no legal basis to pass those on."""

    id: Annotated[Key, about("The centre's key of the note.", da="notatets nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order of the course.", da="bestillingsnummer", sensitivity="identifier")
    ]
    written_at: Annotated[Moment, about("When it was written.", da="skrevet", unit="moment with UTC offset")]
    author: Annotated[Name, about("Who wrote it.", da="forfatter")]
    kind: Annotated[
        Code, about("What the note is about.", da="notattype", code_list="note_kind", valid_on="written_at")
    ]
    text: Annotated[
        LongText, about("The note, 1 to 8,000 characters.", da="notat", sensitivity="sensitive", source=DATA_PROTECTION)
    ]
