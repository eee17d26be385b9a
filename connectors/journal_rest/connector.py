"""The REST journal: pages of the centre's records come in, course orders go out in batches answered one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from connectors.journal_rest.results import CONTRACT, receipt, results
from samspil import json, openapi
from samspil.account import SECRET, Account
from samspil.answer import Answer
from samspil.connector import Change, Connector, Field, Page, Reads, Receipt, Writes
from samspil.errors import AccessError, Refused, Unavailable
from samspil.http import HttpSettings, Session
from samspil.token import Token

SHAPE = json.PageShape(data="data", more="hasMore", key="id")
UNREADABLE = 3  # pages in a row that cannot be cut, after which the system is taken to be ill

COLLECTIONS = {
    "attendance": "attendances",
    "journal_note": "journal-notes",
    "status_note": "status-notes",
    "action_plan": "action-plans",
    "assessment": "assessments",
    "placement": "placements",
}


class JournalRestSettings(HttpSettings, frozen=True, kw_only=True):
    """``username`` and ``password`` are the OAuth client's id and secret; ``tenant`` is the centre's id at the vendor.

    ``token_url``: where tokens are given out, if not at ``/oauth/token`` below the account's address.
    """

    username: str
    password: Annotated[str, SECRET]
    tenant: str
    scope: str = "journal"
    token_url: str = ""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 1000


class JournalRest(Connector):
    """One education centre's journal."""

    title = "Education-centre journal over REST (elektronisk journalsystem)"
    Settings = JournalRestSettings
    reads: ClassVar[Mapping[str, Reads]] = {
        "attendance": Reads("Attendance"),
        "journal_note": Reads("JournalNote"),
        "status_note": Reads("StatusNote"),
        "action_plan": Reads("ActionPlan"),
        "assessment": Reads("Assessment"),
        "placement": Reads("Placement"),
    }
    writes: ClassVar[Mapping[str, Writes]] = {"course_order": Writes("CourseOrder", batch=100)}

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        settings: JournalRestSettings = self.settings
        self._session = Session(account.id, settings)
        self._token = Token(
            self._session,
            settings.token_url or "/oauth/token",
            client=settings.username,
            secret=settings.password,
            form={"scope": settings.scope},
        )

    @classmethod
    def fields(cls, schema: str) -> Mapping[str, Field]:
        return openapi.fields(CONTRACT, cls.reads[schema].record if schema in cls.reads else cls.writes[schema].record)

    def check(self) -> None:
        self._send("GET", "/v1/organisation")

    def read(self, schema: str, since: str | None = None) -> Iterator[Page]:
        """Every page. One that cannot be cut is yielded as rejected and the next is asked for.

        Raises Unavailable if pages repeat or several in a row cannot be cut: the end would be a guess; and if they do
        not add up: a record that goes moves those after it to the page before, and the one that is missed would look deleted.
        """
        del since  # the journal has no way to ask for changes only
        number, unreadable, before = 0, 0, Page([], [])
        totals: set[int] = set()
        count, more, whole = 0, True, True
        while more:
            number += 1
            query = {"page": number, "pageSize": self.settings.page_size}
            answer = self._found(self._send("GET", f"/v1/{COLLECTIONS[schema]}", query=query))
            page, says, total = SHAPE.cut(answer.body)
            more, whole = says is not False, whole and says is not None
            count += len(page.keys) + len(page.rejected)
            totals |= set() if total is None else {total}
            unreadable = unreadable + 1 if says is None else 0
            if page.keys and page.keys[0] in before.keys[:1]:
                raise self._strange("gives the same page again", "pages-repeat")
            if says and not page.keys and not page.rejected:
                raise self._strange("gives an empty page and says there is more", "page-empty")
            if page.keys or page.rejected:
                yield page
            if unreadable == UNREADABLE:
                raise self._strange(f"gave {UNREADABLE} pages in a row that cannot be read", "pages-unreadable")
            before = page if page.keys else before
        if whole and totals and totals != {count}:
            raise self._strange("changed the list while it was read", "list-moved")

    def decode(self, schema: str, raws: Sequence[bytes]) -> Sequence[dict[str, Any] | Refused]:
        del schema  # all are JSON objects
        return json.decoded(raws)

    def write(self, schema: str, batch: Sequence[Change]) -> Sequence[Receipt]:
        del schema  # it takes one
        receipts: list[Receipt] = []
        puts: list[Change] = []
        for change in batch:
            if change.action == "put":
                puts.append(change)
                continue
            receipts += self._put(puts)
            puts = []
            receipts.append(self._delete(change))
        return receipts + self._put(puts)

    def fetch(self, schema: str, their_id: str) -> dict[str, Any] | None:
        del schema  # it takes one
        answer = self._send("GET", "/v1/course-orders/{id}", parts={"id": their_id})
        if answer.status == 404:
            return None
        try:
            order: dict[str, Any] = msgspec.json.decode(self._found(answer).body)["order"]
        except (msgspec.MsgspecError, TypeError, KeyError):
            raise self._strange("gave an order that is none", "answer-invalid") from None
        return order

    def close(self) -> None:
        self._session.close()

    def _put(self, changes: Sequence[Change]) -> list[Receipt]:
        if not changes:
            return []
        items = [
            {"idempotencyKey": change.idempotency_key, "order": msgspec.Raw(change.raw)}
            | ({"id": change.their_id} if change.their_id is not None else {})
            for change in changes
        ]
        body = msgspec.json.encode({"items": items})
        headers = {"Content-Type": "application/json"}
        answer = self._send("POST", "/v1/course-orders/batch", data=body, headers=headers)
        found = results(self._found(answer).body, [change.idempotency_key for change in changes])
        if found is None:
            raise self._strange("did not answer every order of a batch", "answer-incomplete")
        return [receipt(result) for result in found]

    def _delete(self, change: Change) -> Receipt:
        if change.their_id is None:
            return Receipt(refused=Refused("no-id", hint="it was never created there"))
        headers = {"Idempotency-Key": change.idempotency_key}
        answer = self._send("DELETE", "/v1/course-orders/{id}", parts={"id": change.their_id}, headers=headers)
        if answer.status != 404:  # gone already: a resend, or the centre removed it itself
            self._found(answer)
        return Receipt(their_id=change.their_id)

    def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **call: Any) -> Answer:
        """Every call may be repeated: a write carries its idempotency keys."""
        common = {"Accept": "application/json", "X-Tenant": self.settings.tenant, **(headers or {})}
        try:
            return self._session.send(method, path, headers={**common, **self._token.header()}, repeatable=True, **call)
        except AccessError as error:
            if error.reason != "status-401":
                raise
        self._token.forget()  # it may have been withdrawn before its time; a new one that fails too is final
        return self._session.send(method, path, headers={**common, **self._token.header()}, repeatable=True, **call)

    def _found(self, answer: Answer) -> Answer:
        if answer.status not in (200, 201):
            raise self._strange(f"answered with status {answer.status}", f"status-{answer.status}")
        return answer

    def _strange(self, message: str, reason: str) -> Unavailable:
        return Unavailable(f"the journal {message}", system=self.account.id, reason=reason)
