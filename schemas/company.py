"""A company that takes citizens in placement (virksomhed, virksomhedscenter)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from schemas.address import Address
from schemas.types import CVR_REGISTER, Count, Cvr, Key, PNumber, Title, about


class Company(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One production unit and its places. More may be free than there are only by a registration error."""

    id: Annotated[Key, about("The register's key of the company.", da="virksomhedens nøgle", sensitivity="identifier")]
    cvr: Annotated[Cvr, about("The company's number.", da="CVR-nummer", source=CVR_REGISTER)]
    p_number: Annotated[PNumber, about("The production unit's number.", da="P-nummer", source=CVR_REGISTER)]
    name: Annotated[Title, about("The company's name.", da="virksomhedens navn", source=CVR_REGISTER)]
    address: Annotated[
        Address | None, about("Where the production unit is.", da="beliggenhedsadresse", source=CVR_REGISTER)
    ] = None
    places: Annotated[Count, about("Places agreed on.", da="pladser", unit="places")]
    free_places: Annotated[Count, about("Places free now.", da="ledige pladser", unit="places")]

    def __post_init__(self) -> None:
        if self.free_places > self.places:
            raise ValueError("free_places: are more than the places")
