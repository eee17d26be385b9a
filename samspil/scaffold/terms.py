"""Words that obviously name the same thing, in Danish and English: what a proposal may rest on."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "é": "e", "ü": "u", "ö": "oe", "ä": "ae"})

_SAME = (  # each line is one thing
    ("id", "nummer", "nr", "noegle", "key", "reference", "identifier", "loebenummer"),
    ("cpr", "cprnummer", "cprnr", "personnummer", "cprnumber", "pnr", "personcivilregistrationidentifier"),
    ("cvr", "cvrnummer", "cvrnr", "cvrnumber"),
    ("pnummer", "pnumber", "produktionsenhed", "productionunitidentifier"),
    ("start", "startdato", "startdate", "startsat", "fradato", "datofra", "begyndelsesdato", "validfrom"),
    ("end", "slut", "slutdato", "enddate", "endsat", "tildato", "datotil", "ophoersdato", "validto"),
    ("opened", "oprettet", "oprettetdato", "oprettelsesdato", "opened", "openedat"),
    ("closed", "afsluttet", "afsluttetdato", "lukket", "lukketdato", "closedat"),
    ("createdat", "oprettet", "oprettettidspunkt", "created", "createdon"),
    ("givennames", "fornavn", "fornavne", "firstname", "givenname"),
    ("familyname", "efternavn", "lastname", "surname"),
    ("street", "vej", "adresse", "adresselinje", "vejnavn", "gade", "streetname"),
    ("postalcode", "postnr", "postnummer", "zip", "zipcode", "postcode"),
    ("city", "by", "bynavn", "postdistrikt"),
    ("phone", "telefon", "telefonnummer", "tlf", "mobil", "telephone"),
    ("email", "mail", "epost", "emailadresse"),
    ("caseworker", "sagsbehandler", "caseworkername", "sagsbehandlernavn"),
    ("caseid", "sagsnummer", "sagsnr", "sagid", "sag", "casenumber"),
    ("orderid", "bestillingsnummer", "bestillingsnr", "bestillingid", "bestilling", "courseorder", "order"),
    ("targetgroup", "maalgruppe"),
    ("kle", "kleemne", "klenummer", "emneord", "emne"),
    ("kind", "type", "art", "slags", "category", "kategori"),
    ("title", "titel", "overskrift", "emne", "subject"),
    ("author", "forfatter", "skrevetaf", "writtenby"),
    ("text", "tekst", "notat", "indhold", "note"),
    ("content", "indhold", "fil", "data", "file"),
    ("mediatype", "filtype", "mimetype", "contenttype"),
    ("sha256", "kontrolsum", "checksum", "hash"),
    ("minutes", "referat"),
    ("participants", "deltagere", "attendees"),
    ("hoursperweek", "timerpruge", "ugentligtimetal", "ugetimer", "weeklyhours"),
    ("places", "pladser", "antalpladser"),
    ("freeplaces", "ledigepladser"),
    ("municipalitycode", "kommunekode", "kommunenr", "kommunenummer", "municipality"),
    ("date", "dato"),
    ("status", "tilstand"),
    ("provider", "leverandoer", "udbyder", "supplier"),
    ("offer", "tilbud", "offer"),
    ("price", "pris", "beloeb", "amount"),
    ("consent", "samtykke"),
    ("goals", "maal"),
    ("due", "frist", "deadline", "duedate"),
    ("progress", "fremdrift"),
    ("summary", "resume", "sammenfatning"),
    ("name", "navn"),
)
_GENERAL = {
    "navn",
    "name",
    "id",
    "nummer",
    "number",
    "nr",
    "kode",
    "code",
    "dato",
    "date",
    "vaerdi",
    "value",
    "identifier",
}


def plain(name: str) -> str:
    """A name in one spelling: small letters, no æ, ø, å, no signs."""
    return re.sub("[^a-z0-9]", "", name.lower().translate(_LETTERS))


def spellings(path: str, *, record: str = "") -> Iterator[str]:
    """What their field may be called, the likeliest first: its name, its name with what it stands in, both joined.

    ``record``: in a Sag, ``Id``, ``SagId`` and ``Sagsnummer`` are the record's own key, ``id``.
    """
    parts = [plain(part) for part in path.replace("[]", "").split(".")]
    last, above = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last not in _GENERAL or not above:
        yield last
    if above:
        yield above + last
    if above and last in _GENERAL:
        yield above
        yield last
    own = plain(record)
    if (
        not above
        and own
        and last in {f"{own}{end}" for end in ("id", "nr", "nummer", "snr", "snummer", "key", "noegle")}
    ):
        yield "id"
    if own and last in {f"{own}type", f"{own}stype"}:
        yield "kind"


def meanings(name: str, danish: str) -> set[str]:
    """What a field of ours may be called: its name, the users' term, and words that mean the same."""
    terms = [term for spelled in re.split("[,;(/]", danish) for term in (spelled, re.sub("(ens|ets) ", " ", spelled))]
    own = {plain(name), *map(plain, terms)} - {""}
    return own.union(*(set(same) for same in _SAME if plain(name) in same[:1] or own & {*same} - _LOOSE))


_LOOSE = {"oprettet", "indhold", "emne", "dato", "navn", "adresse", "sag"}  # of more than one thing: only by our name
