"""The reference: a small connector that keeps every promise, for the mutants to break.

Its system gives ``meeting`` incrementally and ``assessment`` as snapshots, and takes ``meeting``, all over HTTP in the
shared schema's own words.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from samspil import json, registry
from samspil.account import SECRET, Account
from samspil.answer import Answer
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.errors import Refused, Unavailable
from samspil.http import HttpSettings, Session
from samspil.testing.conformance import plain
from samspil.testing.conformance.subject import Subject

NAME = "reference"
OVERLAP = timedelta(hours=1)  # read again each time, for what is committed late
UNREADABLE = 3  # pages in a row


class ReferenceSettings(HttpSettings, frozen=True, kw_only=True):
    username: str
    password: Annotated[str, SECRET]
    page_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 500


class _Listed(msgspec.Struct):
    records: list[msgspec.Raw]
    gone: list[str]
    more: bool
    latest: str | None


class _Answered(msgspec.Struct):
    key: str
    status: int
    id: str | None = None
    reference: str = ""
    reason: str = ""
    field: str = ""


class _Answers(msgspec.Struct):
    answers: list[_Answered]


class _System(msgspec.Struct):
    system: str


class _Found(msgspec.Struct):
    record: dict[str, Any]


class _Fault(msgspec.Struct):
    code: str


class Reference(Connector):
    """One account at the reference's system."""

    title = "The kit's own reference (reference)"
    Settings = ReferenceSettings
    reads: ClassVar[Mapping[str, Reads]] = {
        "meeting": Reads("Meeting", "incremental"),
        "assessment": Reads("Assessment"),
    }
    writes: ClassVar[Mapping[str, Writes]] = {"meeting": Writes("Meeting", batch=10)}
    overlap = OVERLAP

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._session = Session(account.id, self.settings, passed=(500,))
        pair = base64.b64encode(f"{self.settings.username}:{self.settings.password}".encode()).decode()
        self._login = {"Authorization": f"Basic {pair}"}

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return plain.fields(registry.schema(schema))

    def check(self) -> None:
        self._decoded(self._send("GET", "/v1/check"), _System)

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        number, unreadable, before, latest = 0, 0, b"", since
        more = True
        while more:
            number += 1
            query: dict[str, str | int] = {"page": number, "size": self.settings.page_size}
            query |= {"since": since} if since else {}
            listed = json.opened(_LISTED, self._send("GET", f"/v1/list/{schema}", query=query).body)
            unreadable = unreadable + 1 if isinstance(listed, Page) else 0
            if isinstance(listed, Page):
                yield listed
                if unreadable == UNREADABLE:
                    raise self._strange("gave pages that cannot be read", "pages-unreadable")
                continue
            page = _KEYED.page([bytes(raw) for raw in listed.records])
            more, first = listed.more, (page.keys or [b""])[0]
            if (first and first == before) or (more and not listed.records and not listed.gone):
                raise self._strange("repeats its pages", "pages-repeat")
            before = bytes(first) or before
            if self.reads[schema].mode == "incremental":
                latest = max(filter(None, (latest, self._cursor(listed.latest))), default=None)
                page = page._replace(gone=[key.encode() for key in listed.gone], cursor=latest)
            yield page

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        del schema
        return json.decoded(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        if not batch:
            return []
        changes = [
            {"key": one.idempotency_key, "action": one.action, "id": one.their_id, "record": msgspec.Raw(one.raw)}
            for one in batch
        ]
        answer = self._send("POST", f"/v1/write/{schema}", data=msgspec.json.encode({"changes": changes}))
        answers = {one.key: one for one in self._decoded(answer, _Answers).answers}
        if answers.keys() < {one.idempotency_key for one in batch}:
            raise self._strange("did not answer every change", "answer-incomplete")
        return [_receipt(answers[one.idempotency_key]) for one in batch]

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        answer = self._send("GET", f"/v1/one/{schema}/{{id}}", parts={"id": their_id})
        return None if answer.status == 404 else self._decoded(answer, _Found).record

    def close(self) -> None:
        self._session.close()

    def _cursor(self, latest: str | None) -> str | None:
        return (datetime.fromisoformat(latest) - self.overlap).isoformat() if latest else None

    def _send(self, method: str, path: str, **call: Any) -> Answer:
        answer = self._session.send(method, path, headers=self._login, repeatable=True, **call)
        if answer.status == 500:
            code = json.opened(msgspec.json.Decoder(_Fault), answer.body)
            reason = "status-500" if isinstance(code, Page) or code.code not in _FAULTS else f"fault-{code.code}"
            raise self._strange("answered with a fault", reason)
        return answer

    def _decoded(self, answer: Answer, kind: type[Any]) -> Any:
        if answer.status != 200:
            raise self._strange(f"answered with status {answer.status}", f"status-{answer.status}")
        found = json.opened(msgspec.json.Decoder(kind), answer.body)
        if isinstance(found, Page):
            raise self._strange("gave an answer that is none", "answer-invalid")
        return found

    def _strange(self, message: str, reason: str) -> Unavailable:
        return Unavailable(f"the system {message}", system=self.account.id, reason=reason)


def reference() -> Subject:
    """The reference as a subject."""
    from samspil.testing.mutants.reference_sandbox import ReferenceSandbox  # noqa: PLC0415 - it needs the above

    return Subject(Reference, ReferenceSandbox, name=NAME, mappings=_mappings())


@cache
def _mappings() -> Path:
    """A folder with the reference's mappings, kept for as long as the process runs."""
    folder = tempfile.TemporaryDirectory(prefix="kit-reference-")
    _KEPT.append(folder)
    for schema in Reference.reads:
        plain.write_mapping(registry.schema(schema), Path(folder.name, NAME), schema)
    return Path(folder.name)


def _receipt(answer: _Answered) -> Receipt:
    if answer.status in (200, 201):
        return Receipt(answer.id, answer.reference)
    known = answer.field if answer.field in Reference.fields("meeting") else ""
    reason = answer.reason if answer.reason in _REASONS else "refused-by-system"
    return Receipt(answer.id, answer.reference, Refused(reason, field=known))


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
_FAULTS = frozenset({"busy", "inner"})
_REASONS = frozenset({"missing-field", "unknown-field", "bad-value", "already-exists", "not-found", "key-reused"})
_LISTED = msgspec.json.Decoder(_Listed)
_KEYED = json.Keyed("id")
