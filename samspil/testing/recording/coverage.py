"""Which field of a system's traffic is what: from the connector's mappings and contract, and from the rules beside them."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from samspil import mapping, registry
from samspil.connector import Connector
from samspil.testing.recording import treatment
from samspil.testing.recording.rules import Kind, Rules
from samspil.testing.recording.treatment import Treatment

Place = tuple[str, ...]  # names from the top of a body to a field, lists without brackets

# OAuth 2.0 (RFC 6749), SOAP 1.1 and 1.2, and what no format names: a body that is all text, a file's name
PROTOCOLS: Mapping[str, Kind] = {
    "grant_type": "keep",
    "scope": "keep",
    "client_id": "secret",
    "client_secret": "secret",
    "client_assertion": "secret",
    "client_assertion_type": "keep",
    "access_token": "secret",
    "refresh_token": "secret",
    "id_token": "secret",
    "token_type": "keep",
    "expires_in": "keep",
    "error_description": "text",
    "Fault.faultcode": "keep",
    "Fault.faultstring": "text",
    "Fault.faultactor": "text",
    "Fault.Code.Value": "keep",
    "Fault.Reason.Text": "text",
    "(text)": "text",
    "(filename)": "filename",
    "(id)": "words",
}
PUBLIC = [
    "Envelope",
    "Header",
    "Body",
    "Fault",
    "detail",
    "Detail",
    "Code",
    "Reason",
    "Text",
    "Include",
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
    "http://www.w3.org/2001/XMLSchema-instance",
    "http://www.w3.org/2001/XMLSchema",
    "http://www.w3.org/2004/08/xop/include",
    "http://www.w3.org/2005/05/xmlmime",
]


class Coverage:
    """Of one connector. Raises SettingsError if a mapping does not load."""

    def __init__(self, connector: str, rules: Rules, municipality: str | None = None) -> None:
        kind = registry.connector(connector)
        self.rules = rules
        self.secrets = frozenset(_secrets(kind.Settings))  # names of the account's settings
        self._anchors = {tuple(name for name in at.split(".") if name) for at in rules.records}
        self._named: set[str] = set()  # of records in XML
        self._below: dict[Place, list[Treatment]] = {}  # by the path in its record, and by that after the record's name
        self._words: set[str] = set()
        for schema in sorted({*kind.reads, *kind.writes}):
            self._take(connector, kind, schema, municipality)
        self._ends = {tuple(at.split(".")): Treatment(kind_) for at, kind_ in {**PROTOCOLS, **rules.fields}.items()}
        self.known = frozenset((*PUBLIC, *rules.known))
        self.words = frozenset(self._vocabulary())

    def is_record(self, place: Place) -> bool:
        """Whether a record begins here."""
        return place in self._anchors or (bool(place) and place[-1] in self._named)

    def find(self, place: Place) -> Treatment | None:
        """What becomes of the field; None if nothing tells. A field of a record is the mapping's, whatever a rule says."""
        for length in range(len(place), 0, -1):
            below = self._below.get(place[-length:])
            if below and (place[:-length] in self._anchors or place[-length] in self._named):
                return _strictest(below)
        for length in range(len(place), 0, -1):
            if place[-length:] in self._ends:
                return self._ends[place[-length:]]
        return None

    def names(self, place: Iterable[str]) -> bool:
        """Whether every name on the way is one that the contract or the rules have."""
        return all(name in self.words or name in self.known for name in place)

    def _take(self, connector: str, kind: type[Connector], schema: str, municipality: str | None) -> None:
        ways = [way for way, can in (("to_ours", kind.reads), ("to_theirs", kind.writes)) if schema in can]
        fields = kind.fields(schema)
        loaded = mapping.load(
            connector, schema, municipality, fields=fields, struct=registry.schema(schema), directions=ways
        )
        self._named.add(loaded.record)
        told: dict[Place, Treatment] = {}
        for pair in loaded.resolution.every():
            for node, found in treatment.of(pair):
                told[_place(node.path)] = found
                self._words.update(str(value) for value in found.alike)
        for node in loaded.resolution.theirs.walk():
            at = _place(node.path)
            self._words.update(at)
            if node.path and not node.children:  # what is lost on the way is in the contract, but of no known kind
                for key in (at, (loaded.record, *at)):
                    self._below.setdefault(key, []).append(told.get(at, Treatment("any")))
        self._words.add(loaded.record)

    def _vocabulary(self) -> Iterable[str]:
        yield from self._words
        for at in (*self._ends, *self._anchors):
            yield from at
        for text in (*self.rules.paths, *self.rules.query, *self.rules.headers, *self.rules.settings):
            yield from re.findall(r"\w+", text)
            yield text


def _secrets(settings: type) -> Iterable[str]:
    for name, hint in typing.get_type_hints(settings, include_extras=True).items():
        metas = [meta for meta in typing.get_args(hint) if isinstance(meta, msgspec.Meta)]
        if any((meta.extra or {}).get("secret") for meta in metas):
            yield name


def _place(path: str) -> Place:
    return tuple(part.removesuffix("[]") for part in path.split("."))


def _strictest(found: list[Treatment]) -> Treatment:
    """Of the treatments that several schemas have for one path: the codes of all, else one that replaces."""
    if len(found) > 1 and all(one.kind == "code" for one in found):
        alike: dict[Any, Any] = {value: others for one in found for value, others in one.alike.items()}
        return found[0]._replace(alike=alike, sensitive=any(one.sensitive for one in found), accepts=None)
    return next((one for one in found if one.kind != "keep"), found[0])
