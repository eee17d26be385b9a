"""Synthetic persons and companies: numbers that cannot be anybody's, names and addresses that look Danish.

Every CPR number here carries a birth date in the years 2037 to 2057 (seventh digit 5 to 8 with a year 37 to 57, which the
century rule reads as 20yy): nobody has been born then, so no number can be a living or dead person's. On top of that

- an *ordinary* number fails modulus 11, as numbers may since 2007;
- a municipality's *replacement* number (erstatningspersonnummer) has 60 added to its day, 61 to 91;
- a *health* replacement number (sundhedsvæsenets) has two letters: ``ddmmyy[5-7][A-Z]{2}[0-9]``;
- a *changed* number has its former number, a replacement number, in ``replaced_cpr``;
- a *cancelled* number (annulleret) has a status of its own;
- the *canary's* numbers have the birth date 31 December 2057, which none of the others has (see ``canary``).

Company numbers start with 9 (CVR has assigned none above 5), production units (P-numre) with 1003 and the
municipality's code; modulus 11 holds for the CVR numbers.
"""

from __future__ import annotations

import random
from typing import Any

BORN = range(2037, 2058)  # birth years; see above

ACTIVE, ANNULLED, EMIGRATED = "01", "30", "80"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_FEMALE = _words("Ida|Sofie|Freja|Maja|Åse|Signe|Kirsten|Bodil|Søs|Zainab|Fatima|Mathilde|Pernille|Gitte|Ærø-Marie")
_MALE = _words("Søren|Jørgen|Mads|Emil|Åge|Rasmus|Bjørn|Yusuf|Kjeld|Frederik|Ahmed|Villads|Troels|Øjvind|Karl-Åge")
_FAMILY = _words(
    "Nielsen|Jensen|Møller|Østergaard|Ågård|Sørensen|Kjær|Bæk|Skov|Lindegård|Hassan|Nørgaard|Thøgersen|Kruse|Ravn|"
    "Højlund|Vestergaard|Bjerregård|Mortensen|Ibsen"
)
_STREETS = _words(
    "Østergade|Skovvænget|Åboulevarden|Nørre Allé|Kirkestræde|Havnegade|Møllebakken|Brovej|Sdr. Fælledvej|"
    "Præstemarken|Birkeparken|Lærkevænget"
)
_TOWNS = {
    "760": (("6950", "Ringkøbing"), ("6900", "Skjern"), ("6880", "Tarm"), ("6960", "Hvide Sande")),
    "751": (("8000", "Aarhus C"), ("8200", "Aarhus N"), ("8210", "Aarhus V"), ("8543", "Hornslet")),
    "730": (("8900", "Randers C"), ("8920", "Randers NV"), ("8930", "Randers NØ"), ("8940", "Randers SV")),
    "813": (("9900", "Frederikshavn"), ("9990", "Skagen"), ("9300", "Sæby"), ("9870", "Sindal")),
    "370": (("4700", "Næstved"), ("4736", "Karrebæksminde"), ("4684", "Holmegaard")),
    "260": (("3300", "Frederiksværk"), ("3390", "Hundested"), ("3310", "Ølsted")),
    "461": (("5000", "Odense C"), ("5240", "Odense NØ"), ("5270", "Odense N")),
}
_FIRMS = _words(
    "Tømrerfirmaet Bæk & Søn|Café Åstedet|Skjern Å Gartneri|Lynge Autoværksted|Børnehaven Æblehaven|Køkkenet Nord|"
    "Vestjysk Smedje|Brugsen Østerbro|Plejehjemmet Solgården|Havnens Fiskeauktion|Genbrug Syd|Malermester Øst"
)

_MOD_11 = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
_CVR_11 = (2, 7, 6, 5, 4, 3, 2, 1)


def cpr(rng: random.Random, kind: str = "ordinary") -> str:
    """A number of a kind: ``ordinary``, ``municipal`` or ``health``. Never one that can be a person's."""
    year = rng.choice(BORN)
    day = rng.randint(1, 28) + (60 if kind == "municipal" else 0)
    date = f"{day:02d}{rng.randint(1, 12):02d}{year % 100:02d}"
    if kind == "health":
        letters = "".join(rng.choices("ABCDEFGHJKLMNPRSTUVXYZ", k=2))
        return f"{date}{rng.choice('567')}{letters}{rng.randint(0, 9)}"
    number = f"{date}{rng.randint(5, 8)}{rng.randint(0, 999):03d}"
    if kind == "ordinary" and _weighed(number, _MOD_11) % 11 == 0:
        number = number[:9] + str((int(number[9]) + 1) % 10)
    return number


def cvr(rng: random.Random) -> str:
    """A company number with a true check digit, from a range that is not in use."""
    while True:
        stem = f"9{rng.randint(0, 999_999):06d}"
        check = -_weighed(stem, _CVR_11[:7]) % 11
        if check < 10:
            return f"{stem}{check}"


def p_number(municipality: str, number: int) -> str:
    """A production unit (P-nummer) of a municipality; 1 is its education centre."""
    return f"1003{municipality}{number:03d}"


def address(rng: random.Random, municipality: str) -> dict[str, str]:
    """Street, postal code and city in the municipality."""
    floor = rng.choice(("", "", ", st. tv.", ", 2. th.", ", 1. mf."))
    postal_code, city = rng.choice(_TOWNS.get(municipality, (("9999", "Prøveby"),)))
    street = f"{rng.choice(_STREETS)} {rng.randint(1, 140)}{rng.choice(('', '', 'A', 'B'))}{floor}"
    return {"street": street, "postal_code": postal_code, "city": city}


def worker(rng: random.Random) -> str:
    """A case worker's name (sagsbehandler)."""
    return f"{rng.choice(_FEMALE + _MALE)} {rng.choice(_FAMILY)}"


def firm(rng: random.Random) -> str:
    """A company's name."""
    return rng.choice(_FIRMS)


def person(rng: random.Random, municipality: str, number: int, taken: set[str]) -> dict[str, Any]:
    """Person ``number`` (1-based) as shared facts; which kind of CPR number follows from ``number``, see ``KINDS``.

    Person 1 is the canary.
    """
    kind = KINDS.get(number % 25, "ordinary")
    number_kind = kind if kind in ("municipal", "health") else "ordinary"
    former = _unique(rng, "municipal", taken) if kind == "changed" else None
    given = " ".join(rng.sample(rng.choice((_FEMALE, _MALE)), rng.choice((1, 1, 2))))
    family = rng.choice(_FAMILY)
    made: dict[str, Any] = {
        "id": f"C{municipality}{number:07d}",
        "cpr": _unique(rng, number_kind, taken),
        "given_names": given,
        "family_name": family,
        "address_protected": number % 13 == 5,
        "address": None if number % 40 == 17 else address(rng, municipality),
        "municipality_code": municipality,
        "phone": None if number % 7 == 3 else phone(rng),
        "email": None if number % 5 == 2 else f"borger{number}@example.dk",
        "replaced_cpr": former,
        "status": {"cancelled": ANNULLED, "emigrated": EMIGRATED}.get(kind, ACTIVE),
    }
    if number == 1:  # after everything was drawn, so that all others stay as they are
        made |= canary(municipality)
        made["address"]["street"] = CANARY_STREET
    return made


def canary(municipality: str) -> dict[str, Any]:
    """What is the canary person's own: the citizen of a municipality whom the search for leaks looks for.

    Everything has a mark that nobody else's has: the number the date ``CANARY_DATE``, the texts ``CANARY_WORD``. Both are
    plain ASCII, so that they stay as they are wherever the letters beside them are spelled in another way.
    """
    stem = f"{CANARY_DATE}{{}}{municipality}"
    number = next(n for digit in "5678" if _weighed(n := stem.format(digit), _MOD_11) % 11)
    return {
        "cpr": number,
        "given_names": f"Åse {CANARY_WORD}jer",
        "family_name": f"{CANARY_WORD}ugl-Ærøsø",
        "email": f"{CANARY_WORD.lower()}{municipality}@example.dk",
    }


CANARY_DATE, CANARY_WORD = "311257", "Kanarief"  # no other number is drawn with a day from 29 to 31
CANARY_STREET = f"{CANARY_WORD}uglevænget 1"


def phone(rng: random.Random) -> str:
    """A phone number that cannot ring: no Danish number starts with 0."""
    return f"0{rng.randint(0, 9_999_999):07d}"


KINDS = {3: "municipal", 16: "municipal", 7: "health", 11: "changed", 19: "cancelled", 23: "emigrated"}


def _unique(rng: random.Random, kind: str, taken: set[str]) -> str:
    while (number := cpr(rng, kind)) in taken:
        pass
    taken.add(number)
    return number


def _weighed(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
