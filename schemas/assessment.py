"""Answers to a questionnaire, at the start and every half year (vurdering af afstand til arbejdsmarkedet)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from schemas.types import CPR_OFFICE, DATA_PROTECTION, Code, Cpr, Key, Name, Ordinal, Percent, Score, about


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to one question (svar)."""

    question: Annotated[Name, about("The questionnaire's name of the question.", da="spørgsmål")]
    score: Annotated[
        Score,
        about("1 (lowest) to 5 (highest).", da="score", unit="score", sensitivity="sensitive", source=DATA_PROTECTION),
    ]


class Assessment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One citizen's answers in one round; a later round may well show a longer distance."""

    id: Annotated[Key, about("The centre's key of the answers.", da="besvarelsens nøgle", sensitivity="identifier")]
    cpr: Annotated[Cpr, about("The citizen's number.", da="personnummer", sensitivity="identifier", source=CPR_OFFICE)]
    order_id: Annotated[
        Key, about("The jobcenter's order of the course.", da="bestillingsnummer", sensitivity="identifier")
    ]
    answered: Annotated[date, about("Day of the answers.", da="besvaret", unit="day")]
    round: Annotated[Ordinal, about("1 at the start, then one more each half year.", da="målingsrunde")]
    questionnaire: Annotated[
        Code,
        about("Which questionnaire was used.", da="spørgeskema", code_list="questionnaire", valid_on="answered"),
    ]
    distance: Annotated[
        Percent,
        about(
            "Distance to the labour market: 0 ready for work, 100 farthest from it.",
            da="afstand til arbejdsmarkedet",
            unit="points of 100",
            sensitivity="sensitive",
            source=f"agreed between the parties; {DATA_PROTECTION}",
        ),
    ]
    answers: Annotated[
        list[Answer],
        Meta(max_length=200),
        about("The single answers.", da="svar", sensitivity="sensitive", source=DATA_PROTECTION),
    ] = []
