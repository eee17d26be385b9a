"""Part of several schemas: where somebody lives or a company is."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from schemas.types import CPR_PROTECTION, PostalCode, Title, about


class Address(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address in Denmark or Greenland (adresse)."""

    street: Annotated[
        Title,
        about(
            "Street, house number, floor and door.",
            da="vej og husnummer",
            sensitivity="identifier",
            source=CPR_PROTECTION,
            protected=True,
        ),
    ]
    postal_code: Annotated[
        PostalCode,
        about(
            "Postal code, four digits.",
            da="postnummer",
            sensitivity="identifier",
            source=CPR_PROTECTION,
            protected=True,
        ),
    ]
    city: Annotated[
        Title,
        about("Postal district.", da="by", sensitivity="identifier", source=CPR_PROTECTION, protected=True),
    ]
