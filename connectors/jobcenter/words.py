"""The world's facts in the jobcenter's words, and as the XML it would send. For the sandbox only.

Written apart from the mapping on purpose: a mistake in the one is not repeated in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from connectors.jobcenter.contract import PREFIX

_KINDS = {
    "guidance": "VEJLEDNING_OPKVALIFICERING",
    "education": "ORDINAER_UDDANNELSE",
    "stu": "STU",
    "placement": "VIRKSOMHEDSPRAKTIK",
    "wage-subsidy": "LOENTILSKUD",
    "mentor": "MENTOR",
    "resource-course": "RESSOURCEFORLOEB",
    "job-clarification": "JOBAFKLARING",
    "rehabilitation": "REVALIDERING",
}

Words = dict[str, Any]


def order(fact: Mapping[str, Any]) -> Words:
    """A course order as Bestilling."""
    address = fact["address"]
    return _without_none(
        {
            "BestillingId": fact["id"],
            "Borger": {
                "CPRnummer": fact["cpr"],
                "Fornavne": fact["given_names"],
                "Efternavn": fact["family_name"],
                "Adressebeskyttelse": fact["address_protected"],
                "Adresse": address
                and {"Vej": address["street"], "Postnummer": address["postal_code"], "By": address["city"]},
            },
            "SagId": fact["case_id"],
            "Maalgruppe": f"6.{fact['target_group']}",
            "UdbyderPNummer": fact["provider"],
            "Tilbud": fact["offer"],
            "Periode": {"Startdato": fact["start"], "Slutdato": fact["end"]},
            "TimerPrUge": fact["hours_per_week"],
            "Bevilling": {"Beloeb": fact["price"], "Takstpakke": fact["price_package"]},
            "Samtykke": fact["consent"],
            "Sagsbehandler": {"Navn": fact["case_worker"], "Telefon": fact["contact_phone"]},
            "BestiltTidspunkt": moment(fact["ordered_at"]),
            "InternBemaerkning": "Drøftet på teammødet." if fact["id"].endswith("7") else None,
            "Maal": [
                {
                    "MaalId": goal["id"],
                    "Titel": goal["title"],
                    "Frist": goal["due"],
                    "Delmaal": [
                        {"DelmaalId": sub["id"], "Titel": sub["title"], "Frist": sub["due"]}
                        for sub in goal["sub_goals"]
                    ],
                }
                for goal in fact["goals"]
            ],
        }
    )


def activity(fact: Mapping[str, Any]) -> Words:
    """An activity as Aktivitet."""
    return _without_none(
        {
            "AktivitetId": fact["id"],
            "CPRnummer": fact["cpr"],
            "Type": _KINDS[fact["kind"]],
            "Titel": fact["title"],
            "UdbyderPNummer": fact["provider"],
            "Periode": {"Startdato": fact["start"], "Slutdato": fact["end"]},
            "TimerPrUge": fact["hours_per_week"],
            "Sagsbehandler": fact["case_worker"],
            "Journalnummer": f"27.{fact['id'][-6:]}",
        }
    )


WORDS: Mapping[str, Callable[[Mapping[str, Any]], Words]] = {"course_order": order, "activity": activity}

_CODES = {"course_order": "Maalgruppe", "activity": "Type"}
_REQUIRED = {"course_order": "Tilbud", "activity": "Titel"}


def damaged(schema: str, words: Words, kind: str) -> bytes:
    """A record with one kind of damage, as XML (of "broken-syntax" only as far as it goes)."""
    record = {"course_order": "Bestilling", "activity": "Aktivitet"}[schema]
    if kind == "bad-date":
        words = {**words, "Periode": {"Startdato": "2026-13-45"}}
    elif kind == "unknown-code":
        words = {**words, _CODES[schema]: "UKENDT"}
    elif kind == "missing-field":
        words = {name: value for name, value in words.items() if name != _REQUIRED[schema]}
    elif kind == "bad-cpr":
        owner = words.get("Borger", words)
        owner = {**owner, "CPRnummer": "9999999999"}  # no such day
        words = {**words, "Borger": owner} if "Borger" in words else owner
    elif kind == "unknown-field":
        words = {**words, "Ukendt": "1"}
    xml = rendered(record, words)
    return xml.removesuffix(f"</{PREFIX}:{record}>".encode()) if kind == "broken-syntax" else xml


def rendered(name: str, value: object) -> bytes:
    """An element with what is in it, in the order it has there."""
    return _rendered(name, value).encode()


def _rendered(name: str, value: object) -> str:
    if isinstance(value, list):
        return "".join(_rendered(name, item) for item in value)
    if isinstance(value, dict):
        inner = "".join(_rendered(below, item) for below, item in value.items())
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{PREFIX}:{name}>{inner}</{PREFIX}:{name}>"


def _without_none(words: Words) -> Words:
    items = ((key, _bare(value)) for key, value in words.items())
    return {key: value for key, value in items if value not in (None, {})}


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return _without_none(value) if isinstance(value, dict) else value


def moment(value: datetime) -> str:
    """With seven digits of a fraction, as the systems around it write."""
    text = value.isoformat(timespec="microseconds")
    return f"{text[:-6]}0{text[-6:]}"
