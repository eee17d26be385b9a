"""A document about the citizen (dokument)."""

from __future__ import annotations

import hashlib
from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, Content, Cpr, Key, MediaType, Moment, Sha256, Title, about


class Document(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file with what is needed to know it again."""

    id: Annotated[
        Key, about("The sending system's key of the document.", da="dokumentets nøgle", sensitivity="identifier")
    ]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key | None, about("The order the document belongs to.", da="bestillingsnummer", sensitivity="identifier")
    ] = None
    title: Annotated[Title, about("Title shown in the journal.", da="titel", sensitivity="sensitive")]
    media_type: Annotated[MediaType, about("Media type of the content.", da="filtype", source="RFC 6838")]
    created_at: Annotated[Moment, about("When it was made.", da="oprettet", unit="moment with UTC offset")]
    sha256: Annotated[
        Sha256, about("SHA-256 of the content, 64 hexadecimal digits.", da="kontrolsum", source="FIPS 180-4")
    ]
    content: Annotated[
        Content,
        about(
            "The file itself, at most 10,000,000 bytes; base64 in JSON.",
            da="indhold",
            unit="bytes",
            sensitivity="sensitive",
            source=DATA_PROTECTION,
        ),
    ]

    def __post_init__(self) -> None:
        if hashlib.sha256(self.content).hexdigest() != self.sha256:
            raise ValueError("sha256: is not that of the content")
