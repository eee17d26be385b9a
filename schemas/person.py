"""The citizen as the civil registration system has them (borger)."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from schemas.address import Address
from schemas.types import (
    CPR_OFFICE,
    CPR_PROTECTION,
    STATISTICS_DENMARK,
    Code,
    Cpr,
    Email,
    Key,
    MunicipalityCode,
    Name,
    Phone,
    about,
)


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Master data of a citizen (stamdata)."""

    id: Annotated[Key, about("The sending system's key.", da="nøgle", sensitivity="identifier")]
    cpr: Annotated[
        Cpr,
        about("Civil registration number in force.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE),
    ]
    replaced_cpr: Annotated[
        Cpr | None,
        about(
            "The former number, when the number was changed or two were merged.",
            da="tidligere personnummer",
            sensitivity="identifier",
            source=CPR_OFFICE,
        ),
    ] = None
    given_names: Annotated[
        Name,
        about(
            "First and middle names.", da="fornavne", sensitivity="identifier", source=CPR_PROTECTION, protected=True
        ),
    ]
    family_name: Annotated[
        Name,
        about("Family name.", da="efternavn", sensitivity="identifier", source=CPR_PROTECTION, protected=True),
    ]
    address_protected: Annotated[
        bool,
        about("Name and address go only where an agreement says so.", da="adressebeskyttelse", source=CPR_PROTECTION),
    ]
    address: Annotated[
        Address | None,
        about(
            "Where the citizen lives.", da="adresse", sensitivity="identifier", source=CPR_PROTECTION, protected=True
        ),
    ] = None
    municipality_code: Annotated[
        MunicipalityCode,
        about("Municipality of residence, three digits.", da="kommunekode", source=STATISTICS_DENMARK),
    ]
    phone: Annotated[Phone | None, about("Telephone.", da="telefonnummer", sensitivity="identifier")] = None
    email: Annotated[Email | None, about("E-mail address.", da="e-mailadresse", sensitivity="identifier")] = None
    status: Annotated[
        Code,
        about(
            "Status in the civil registration system.", da="CPR-status", source=CPR_OFFICE, code_list="person_status"
        ),
    ]
