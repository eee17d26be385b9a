"""Named, invertible converters between a value on the wire and a value of ours. Dates are in ``dates``.

=============== ================================================ ============== ==============================
``as:``         on the wire                                      ours           options
=============== ================================================ ============== ==============================
text            text (the default)                               str
integer         JSON integer, or text                            int            ``text: true``
number          JSON number                                      Decimal, float
boolean         JSON true and false, or two spellings            bool           ``true: Ja, false: Nej``
cpr             ten characters, checked, never repaired          str            ``separator: "-"`` (exactly), ``pseudonym: true`` (takes one)
cvr, p_number   eight and ten digits, checked                    str
decimal_point   ``"1234.50"``                                    Decimal        ``places: 2`` (exactly)
decimal_comma   ``"1234,50"``                                    Decimal        ``places: 2`` (exactly)
hours_minutes   ``"07:24"`` is 7.40 hours                        Decimal
code            the code, or the system's own for it             str            ``list``, ``values`` (theirs → ours)
name_parts      ``"Given Names Family"`` ↔ two fields            str, str       ``order: family_first``
base64          base64 text                                      bytes
date            ``"2024-01-31"``                                 date           ``format: dd-mm-yyyy``
local_midnight  ``"…T22:00:00Z"`` is the next day                date
timestamp       ``"2019-04-30T15:06:58.9218786+02:00"``          datetime       ``zone: danish|utc, digits: 7``
=============== ================================================ ============== ==============================

Options are written ``as: {date: {format: dd-mm-yyyy}}``; one that can stand alone may: ``as: {date: dd-mm-yyyy}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samspil.codes import CodeList
from samspil.mapping import dates, numbers, texts
from samspil.mapping.converter import CONVERTERS, FIRST, Converter, spelled
from samspil.mapping.tree import Node

MODULES = (dates, numbers, texts)  # importing them enters their converters


def make(spec: str | Mapping[str, Any], node: Node, lists: Mapping[str, CodeList]) -> Converter:
    """The converter of a row's ``as`` for one of our fields. Raises ValueError saying what is wrong."""
    name, given = (spec, None) if isinstance(spec, str) else next(iter(spec.items()), ("", None))
    if not isinstance(spec, str) and len(spec) != 1:
        raise ValueError("`as` names exactly one converter")
    if name not in CONVERTERS:
        raise ValueError(f"there is no converter {name!r}, only {', '.join(sorted(CONVERTERS))}")
    if given is not None and not isinstance(given, Mapping):
        given = {FIRST[name]: given}
    options = {spelled(key): value for key, value in (given or {}).items()}
    made = CONVERTERS[name](options, node, lists)
    if node.base not in made.ours:
        fits = " or ".join(kind.__name__ for kind in made.ours)
        raise ValueError(f"{name} makes {fits}, and {node.path} is {getattr(node.base, '__name__', 'something else')}")
    return made
