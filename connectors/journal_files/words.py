"""The world's facts in the journal's own words: rows of the export files, damaged where the world says so.

Written without the mapping and without ``samspil.files``, so that a fault in either is not repeated here.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Fact = dict[str, Any]
Tables = dict[str, list[dict[str, str]]]  # file → its rows

DANISH = {
    "attendance": {
        "present": "M",
        "partly-present": "DM",
        "absent-lawful": "LF",
        "absent-unlawful": "UF",
        "ill": "S",
        "holiday": "F",
        "cancelled": "A",
    },
    "note": {
        "course": "FORLOEB",
        "contact": "KONTAKT",
        "agreement": "AFTALE",
        "placement": "PRAKTIK",
        "absence": "FRAVAER",
    },
    "goal": {
        "planned": "PLAN",
        "ongoing": "IGANG",
        "paused": "PAUSE",
        "setback": "TILBAGE",
        "reached": "NAAET",
        "changed": "AENDRET",
        "dropped": "OPGIVET",
    },
    "questionnaire": {"labour-market-distance": "AFSTAND", "own-rating": "EGEN", "wellbeing": "TRIVSEL"},
    "placement": {
        "work-trial": "VP",
        "wage-subsidy": "LT",
        "ordinary-hours": "OT",
        "flex-job": "FJ",
        "sheltered": "BB",
        "education-trial": "UP",
    },
}
DATES = {
    "attendance": ("Fremmoede", "Dato"),
    "journal_note": ("Notater", "Skrevet"),
    "status_note": ("Statusnotater", "PeriodeFra"),
    "action_plan": ("Handleplaner", "Opdateret"),
    "assessment": ("Skemaer", "Besvaret"),
    "placement": ("Praktik", "Start"),
}
CODES = {
    "attendance": ("Fremmoede", "Status"),
    "journal_note": ("Notater", "Notattype"),
    "action_plan": ("Maal", "Status"),
    "assessment": ("Skemaer", "Skematype"),
    "placement": ("Praktik", "Type"),
}


def cell(value: Any) -> str:
    """A value as this journal writes it: dd-mm-yyyy, decimal comma, J and N, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "J" if value else "N"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.strftime("%d-%m-%Y")
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", ",")
    return str(value)


def _row(**cells: Any) -> dict[str, str]:
    return {name: cell(value) for name, value in cells.items()}


def _attendance(fact: Fact) -> Tables:
    status = DANISH["attendance"][fact["status"]]
    row = _row(FremmoedeId=fact["id"], CPR=fact["cpr"], BestillingId=fact["order_id"], AktivitetId=fact["activity_id"])
    return {"Fremmoede": [row | _row(Dato=fact["date"], Status=status, Timer=fact["hours"])]}


def _journal_note(fact: Fact) -> Tables:
    row = _row(NotatId=fact["id"], CPR=fact["cpr"], BestillingId=fact["order_id"], Skrevet=fact["written_at"])
    kind = DANISH["note"][fact["kind"]]
    internal = "Ring først til kontaktpersonen" if kind == "KONTAKT" else None
    return {"Notater": [row | _row(Forfatter=fact["author"], Notattype=kind, Tekst=fact["text"], InternNote=internal)]}


def _status_note(fact: Fact) -> Tables:
    row = _row(StatusnotatId=fact["id"], CPR=fact["cpr"], BestillingId=fact["order_id"])
    row |= _row(PeriodeFra=fact["period_start"], PeriodeTil=fact["period_end"], Skrevet=fact["written"])
    row |= _row(Forfatter=fact["author"], Sammenfatning=fact["summary"], Anbefaling=fact["recommendation"])
    return {"Statusnotater": [row]}


def _action_plan(fact: Fact) -> Tables:
    plan = fact["id"]
    row = _row(PlanId=plan, CPR=fact["cpr"], BestillingId=fact["order_id"], Titel=fact["title"])
    row |= _row(UdarbejdetAf=fact["author"], Opdateret=fact["updated_at"], Start=fact["start"], Slut=fact["end"])
    row |= _row(
        NaesteOpfoelgning=fact["next_follow_up"], Formaal=fact["purpose"], BorgerensOenske=fact["citizens_wish"]
    )
    tables: Tables = {"Handleplaner": [row], "Maal": [], "Delmaal": []}
    for goal in fact["goals"]:
        words = _row(PlanId=plan, MaalId=goal["id"], Titel=goal["title"], Status=DANISH["goal"][goal["status"]])
        words |= _row(Progression=goal["progress"], Frist=goal["due"], Bemaerkning=goal["comment"])
        tables["Maal"].append(words)
        for sub in goal["sub_goals"]:
            words = _row(PlanId=plan, MaalId=goal["id"], DelmaalId=sub["id"], Titel=sub["title"])
            tables["Delmaal"].append(words | _row(Status=DANISH["goal"][sub["status"]]))
    return tables


def _assessment(fact: Fact) -> Tables:
    kind = DANISH["questionnaire"][fact["questionnaire"]]
    row = _row(SkemaId=fact["id"], CPR=fact["cpr"], BestillingId=fact["order_id"], Besvaret=fact["answered"])
    answers = [_row(SkemaId=fact["id"], Spoergsmaal=item["question"], Score=item["score"]) for item in fact["answers"]]
    return {"Skemaer": [row | _row(Runde=fact["round"], Skematype=kind, Afstand=fact["distance"])], "Svar": answers}


def _placement(fact: Fact) -> Tables:
    row = _row(PraktikId=fact["id"], CPR=fact["cpr"], BestillingId=fact["order_id"], CVR=fact["company_cvr"])
    row |= _row(PNummer=fact["company_p_number"], Virksomhed=fact["company_name"])
    row |= _row(Type=DANISH["placement"][fact["kind"]], Start=fact["start"], Slut=fact["end"])
    return {"Praktik": [row | _row(TimerPrUge=fact["hours_per_week"], Loentilskud=fact["wage_subsidy"])]}


WORDS: dict[str, Callable[[Fact], Tables]] = {
    "attendance": _attendance,
    "journal_note": _journal_note,
    "status_note": _status_note,
    "action_plan": _action_plan,
    "assessment": _assessment,
    "placement": _placement,
}


def damage(kind: str, schema: str, tables: Tables) -> None:
    """Put a damage that lies in a cell into a record's rows; the others are put into the text by :func:`text`."""
    top = next(iter(tables.values()))[0]
    if kind == "bad-date":
        file, name = DATES[schema]
        tables[file][0][name] = "31-02-2026"
    elif kind == "unknown-code":
        file, name = CODES[schema]
        tables[file][0][name] = "UKENDT"
    elif kind == "missing-field":
        top["BestillingId"] = ""
    elif kind == "bad-cpr":
        top["CPR"] = top["CPR"][1:]  # as when a spreadsheet took the number for a number and ate the leading zero


def text(
    columns: Sequence[str], rows: Sequence[dict[str, str]], broken: Sequence[str], *, encoding: str, line_end: str
) -> bytes:
    """A file: header, rows and trailer. ``broken`` tells the damage of the row at each place."""
    lines = [_line(columns, line_end)]
    for row, kind in zip(rows, broken, strict=True):
        line = _line([row[name] for name in columns], line_end)
        if kind == "unknown-field":
            line = line.removesuffix(line_end) + ";ekstra" + line_end
        elif kind == "broken-syntax":
            line = line.replace(";", ';"', 1)  # a quote that nobody closes
        lines.append(line)
    lines.append(_line(["Antal", str(len(rows))], line_end))
    return (codecs.BOM_UTF8 if encoding == "utf-8" else b"") + "".join(lines).encode(encoding)


def _line(cells: Sequence[str], line_end: str) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";", lineterminator=line_end).writerow(cells)
    return stream.getvalue()
