"""A recording without persons and secrets, made from what was recorded; or a refusal that says what stands in the way."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from samspil.account import Account
from samspil.errors import SettingsError
from samspil.testing.recording import search
from samspil.testing.recording.coverage import Coverage, Place
from samspil.testing.recording.exchange import ORIGIN, Exchange, Recording
from samspil.testing.recording.originals import Originals
from samspil.testing.recording.rules import Kind, filled
from samspil.testing.recording.substitutes import NoSubstitute, Substitutes
from samspil.testing.recording.treatment import Treatment
from samspil.testing.recording.wrapped import rewrite

_HEADERS: dict[str, Kind] = {"accept": "keep", "soapaction": "keep", "retry-after": "keep"}
_SETTINGS: dict[str, Kind] = {"ca": "drop", "certificate": "drop", "certificate_password": "drop"}
_CREDENTIALS = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "apikey"}
_COOKIE = re.compile(r"(?:^|[;\n])\s*[^=;\n]+=([^;\n]{6,})")
_OWN = frozenset(  # the words of the file itself
    re.findall(
        r"\w+",
        "format connector account schema login password extra method path query headers body status answer_headers "
        "answer passing base64 content type accept application text json xml utf charset retry after soapaction",
    )
)
_FILE = "the file's name"
_NAME = re.compile(r"[@(]?[^\W\d][\w.@() -]{0,40}")


class Scrubber:
    """Scrubs one recording, once. It is also the visitor of the bodies' fields."""

    def __init__(self, connector: str, coverage: Coverage, account: Account) -> None:
        self._connector, self._coverage, self._account = connector, coverage, account
        self._originals = Originals()
        self._contents: list[bytes] = []
        self._substitutes: Substitutes | None = None  # None while the originals are collected
        self._place = ""
        self._passing: list[str] | None = None

    def scrub(self, exchanges: Sequence[Exchange], name: str) -> bytes:
        """The bytes of the file that is to be called ``name``. Raises SettingsError naming call and field."""
        self._recording(exchanges)
        self._substitutes = Substitutes(self._originals)
        for content in self._contents:
            self._substitutes.content(content)
        data = self._recording(exchanges).encode()
        named = msgspec.json.encode({_FILE: name}) + b"\n"
        words = self._coverage.words | _OWN | {self._connector}
        found = search.leak(data + named, self._originals, words, self._coverage.known | {ORIGIN})
        if found is not None:
            places = ["the account", *(self._call(number, one) for number, one in enumerate(exchanges, 1)), _FILE]
            place = places[found.line - 1]
            where = ", ".join(dict.fromkeys(part for part in (place, found.field) if part))
            raise self._refused(f"still has {found.what}", where, "recording-leak")
        return data

    def leaf(self, place: Place, value: Any, record: bytes) -> Any:
        """The field's value as it is (while collecting), or what takes its place."""
        if place == ("(namespace)",):
            if value in self._coverage.known:
                return value
            raise self._not_covered(place)
        if not self._coverage.names(place[:-1]):
            raise self._not_covered(place)
        if value is None or value == "":
            if place[-1] != "(empty)" and not self._coverage.names(place) and self._coverage.find(place) is None:
                raise self._not_covered(place)
            return value
        treatment = self._coverage.find(place)
        if treatment is None:
            raise self._not_covered(place)
        if treatment.kind == "passing" and self._passing is not None:
            self._passing.append(".".join(place))
        return self._treated(treatment, value, ".".join(place), record)

    def is_record(self, place: Place) -> bool:
        return self._coverage.is_record(place)

    def unreadable(self, place: Place, why: str) -> SettingsError:
        """What cannot be looked into cannot be saved."""
        return self._refused(f"the body {why}", self._at(_shown(place)), "recording-unreadable")

    def _recording(self, exchanges: Sequence[Exchange]) -> Recording:
        self._place = "the account"
        account = self._scrubbed_account()
        kept = []
        for number, one in enumerate(exchanges, 1):
            self._place = self._call(number, one)
            kept.append(self._exchange(one))
        return Recording(connector=self._connector, account=account, exchanges=kept)

    def _exchange(self, one: Exchange) -> Exchange:
        call, self._passing = self._place, []
        path = self._path(one.path)
        query = [(name, self._declared("query", self._coverage.rules.query, name, value)) for name, value in one.query]
        headers = self._headers(one.headers)
        self._place = f"{call}, the request's body"
        body, content_type = rewrite(one.body, one.headers.get("content-type", ""), self)
        passing, self._passing = self._passing, None
        self._place = f"{call}, the answer's body"
        answer, answered = rewrite(one.answer, one.answer_headers.get("content-type", ""), self)
        self._place = f"{call}, the answer"
        return Exchange(
            method=one.method,
            path=path,
            query=query,
            headers=headers | ({"content-type": content_type} if content_type else {}),
            body=body,
            status=one.status,
            answer_headers=self._headers(one.answer_headers) | ({"content-type": answered} if answered else {}),
            answer=answer,
            passing=sorted(set(passing)),
        )

    def _path(self, path: str) -> str:
        found = filled(self._coverage.rules, path)
        if found is None:
            raise self._not_covered(("the path",))
        kinds = self._coverage.rules.paths[found.pattern]
        parts = {
            name: quote(str(self._treated(Treatment(kinds[name]), unquote(part), f"the path's {name}", b"")), safe="")
            for name, part in found.parts.items()
        }
        return found.pattern.format_map(parts)

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Those that are declared; of the others only the secrets are remembered, to be looked for."""
        kinds = _HEADERS | {name.lower(): kind for name, kind in self._coverage.rules.headers.items()}
        for name in _CREDENTIALS & headers.keys():
            found = _COOKIE.findall(headers[name]) if "cookie" in name else [headers[name].split(" ", 1)[-1]]
            for secret in found:
                self._originals.add("secret", secret)
        return {
            name: str(self._treated(Treatment(kinds[name]), value, f"the header {name}", b""))
            for name, value in headers.items()
            if name in kinds and kinds[name] != "drop"
        }

    def _declared(self, what: str, kinds: dict[str, Kind], name: str, value: str) -> str:
        if name not in kinds:
            raise self._not_covered((what, name))
        return str(self._treated(Treatment(kinds[name]), value, f"{what} {name}", b""))

    def _scrubbed_account(self) -> dict[str, Any]:
        rules = _SETTINGS | self._coverage.rules.settings
        secret = Treatment("secret")
        extra = {}
        for name, value in self._account.extra.items():
            kind = rules.get(name)
            if name in self._coverage.secrets and kind != "drop":
                extra[name] = self._treated(secret, value, name, b"")
            elif kind is None and (isinstance(value, (bool, int, float)) or str(value).startswith(ORIGIN)):
                extra[name] = value
            elif kind is None:
                raise self._not_covered(("setting", name))
            elif kind != "drop":
                extra[name] = self._treated(Treatment(kind), value, name, b"")
        return {
            "schema": self._account.schema,
            "login": self._treated(secret, self._account.login, "login", b""),
            "password": self._treated(secret, self._account.password, "password", b""),
            "extra": extra,
        }

    def _treated(self, treatment: Treatment, value: Any, field: str, record: bytes) -> Any:
        if value == "" or treatment.keeps(value):
            return value
        if treatment.kind == "link":
            return self._link(str(value), field)
        treatment = treatment.fitting(value)
        if self._substitutes is None:
            self._originals.add(treatment.kind, value)
            self._remember(treatment, value)
            return value
        try:
            return self._substitutes.replaced(treatment, value, record)
        except NoSubstitute:
            message = "there is no synthetic value left of this form"
            raise self._refused(message, self._at(field), "recording-no-substitute") from None

    def _remember(self, treatment: Treatment, value: Any) -> None:
        """A content, so that its checksum follows it."""
        if treatment.kind == "content":
            try:
                content = value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                return
            self._contents.append(content)
            self._originals.add("content", content)

    def _link(self, value: str, field: str) -> str:
        if not value.startswith(ORIGIN):
            raise self._refused("points at another system", self._at(field), "recording-not-covered")
        path, _, query = value.removeprefix(ORIGIN).partition("?")
        pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
        kept = [
            f"{name}={quote(self._declared('query', self._coverage.rules.query, name, unquote(text)), safe='')}"
            for name, text in pairs
        ]
        return ORIGIN + self._path(path) + ("?" + "&".join(kept) if kept else "")

    def _call(self, number: int, one: Exchange) -> str:
        found = filled(self._coverage.rules, one.path)
        return f"call {number} ({one.method}{' ' + found.pattern if found else ''})"

    def _at(self, field: str) -> str:
        return ", ".join(part for part in (self._place, field) if part)

    def _not_covered(self, place: Place) -> SettingsError:
        message = "is covered by no mapping, contract or rule; add it to the rules"
        return self._refused(message, self._at(_shown(place)), "recording-not-covered")

    @staticmethod
    def _refused(message: str, place: str, reason: str) -> SettingsError:
        return SettingsError(f"{message}; nothing was saved", field=place, reason=reason)


def _shown(place: Place) -> str:
    """A path of names; a name that could be something else is left out."""
    return ".".join(name if _NAME.fullmatch(name) and sum(map(str.isdigit, name)) < 4 else "?" for name in place)
