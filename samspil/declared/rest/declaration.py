"""What a ``connector.yaml`` of ``kind: rest`` may say: closed structs and nothing else, no expressions.

``path`` is a path of the OpenAPI file, spelled as there; ``call`` is a method and a path (``POST /v1/meetings``). A
place in an answer is a dotted path (``result.items``), "" for the answer itself. A ``{name}`` in a path is the
system's own id of the record; in the path of ``create`` it is the record's own field of that name.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from samspil.declared import login, receipt
from samspil.declared.closed import Closed, FileName, Word
from samspil.declared.incremental import Asked, Never
from samspil.declared.login import Header, KeyOrOAuth
from samspil.declared.paging import Whole
from samspil.declared.rest.paging import Pages, Paging, pages
from samspil.declared.settings import Settings

Path = Annotated[str, Meta(pattern=r"^/\S*\Z")]
Call = Annotated[str, Meta(pattern=r"^(POST|PUT|PATCH|DELETE) /\S*\Z")]
Place = Annotated[str, Meta(pattern=r"^([^.\s]+(\.[^.\s]+)*)?\Z")]
Status = Annotated[int, Meta(ge=400, lt=500)]


class Gone(Closed, frozen=True, kw_only=True):
    """Where an incremental read learns of deletions: exactly one of three ways.

    ``keys``: the place in the list's answer of a list of keys. ``field``: a record in the list that has ``value`` in this
    field is a deleted one. ``path``: a list of its own, of the same shape and paging, of deleted records.
    """

    keys: Place = ""
    field: str = ""
    value: str | bool | int = True
    path: Path | Literal[""] = ""


class Incremental(Asked, frozen=True, kw_only=True):
    """Reading what changed: ``since`` is the query's parameter, ``changed`` a field of the record, at its top."""

    clock: Place = ""
    gone: Never | Gone

    @property
    def told(self) -> Gone:
        """How deletions are told: none of the ways if they never are."""
        return Gone() if isinstance(self.gone, str) else self.gone


class List(Closed, frozen=True, kw_only=True):
    """Reading all: a path, where in its answer the records are, and how it is paged."""

    path: Path
    records: Place = "data"
    paging: Whole | Paging
    incremental: Incremental | None = None

    @property
    def pages(self) -> Pages:
        """How one gets from page to page."""
        return pages(self.paging)


class Fetch(Closed, frozen=True, kw_only=True):
    """Reading one. ``within``: where in the answer the record is."""

    path: Path
    within: Place = ""


class KeyAt(Closed, frozen=True, kw_only=True):
    """Where the idempotency key goes: a header, or a field of the request."""

    header: Header | Literal[""] = ""
    field: str = ""

    def __post_init__(self) -> None:
        if self.header and self.field:
            raise ValueError("takes a header or a field, not both")


class Put(Closed, frozen=True, kw_only=True):
    """Creates and updates many to a call, each answered by itself with the idempotency key it was sent with.

    ``each``: the request's list. In an item of it ``key`` takes the idempotency key, ``id`` what the system calls the
    record (for an update) and ``within`` the record.
    """

    call: Call
    each: Word
    key: Word
    id: Word
    within: Word


class Receipt(receipt.Receipt, frozen=True, kw_only=True):
    """Where the answer says what became of a record; in that of ``put``, below ``each``, the list of its results.

    Statuses in ``refused`` always mean that this one record is refused: the answer's, or that at ``status`` of a result,
    which must be given by ``key``. With any of ``passed`` at ``code`` it was taken. Another code in an answer with status
    2xx refuses the record if it is one of ``reasons``; else the system is taken to be ill.
    """

    id: Place = "id"
    reference: Place = ""
    status: Place = ""
    code: Place = ""
    field: Place = ""
    each: Place = ""
    key: str = ""
    refused: tuple[Status, ...] = (400, 404, 409, 422)


class Write(Closed, frozen=True, kw_only=True):
    """Writing: ``create`` and ``update`` one by one, or ``put`` for many, at most ``batch`` at a time; ``delete`` one by one.

    ``key`` and ``within`` are for the request of one: where the idempotency key goes, and the property that holds the
    record ("" if the request is the record).
    """

    batch: Annotated[int, Meta(ge=1, le=5000)] = 100
    put: Put | None = None
    create: Call | Literal[""] = ""
    update: Call | Literal[""] = ""
    delete: Call | Literal[""] = ""
    within: str = ""
    key: KeyAt = KeyAt()
    receipt: Receipt = Receipt()

    @property
    def keyed(self) -> bool:
        """Whether the system remembers idempotency keys."""
        return bool(self.put or self.key.header or self.key.field)


class Declared(Closed, frozen=True, kw_only=True):
    """One shared schema. ``record`` is the OpenAPI component, ``key`` its field with the record's own key."""

    record: str
    key: str = "id"
    list: List | None = None
    fetch: Fetch | None = None
    write: Write | None = None


class Declaration(Closed, frozen=True, kw_only=True):
    """The whole file. ``headers``: more headers of each call, with ``{name}`` for a setting. ``check``: a path to GET,
    answered in JSON. ``rate``: calls per second at most.
    """

    kind: Literal["rest"]
    title: Word
    openapi: FileName = "openapi.yaml"
    login: login.Word | KeyOrOAuth
    headers: dict[Header, str] = msgspec.field(default_factory=dict)
    settings: Settings = msgspec.field(default_factory=dict)
    check: Path
    rate: Annotated[float, Meta(gt=0)] | None = None
    schemas: Annotated[dict[str, Declared], Meta(min_length=1)]
