"""The declaration of a SOAP connector: what ``connector.yaml`` may say, closed and typed.

Paths are dotted local names as the WSDL has them. Those of a request start below the request's element, those of an
answer below the answer's, those of a record below the record. In the values of a header or a request ``{name}`` is that
setting of the account (see ``samspil.declared.values``); everything else is sent as it is.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from samspil.declared import login, paging, receipt
from samspil.declared.closed import Closed, FileName
from samspil.declared.closed import Word as Name
from samspil.declared.incremental import Asked, Never
from samspil.declared.login import Key
from samspil.declared.paging import Whole
from samspil.declared.settings import Settings
from samspil.declared.soap.security import Security

Values = dict[str, Any]


class Errors(Closed, frozen=True, kw_only=True):
    """The system's codes by what can be done about them.

    ``code``: the element in a fault that holds it, else ``faultcode`` does. ``status``: the element in an ordinary
    answer whose text must be one of ``passed``. ``missing``: there is no such record.
    """

    code: str = ""
    status: str = ""
    passed: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Call(Closed, frozen=True, kw_only=True):
    """An operation and what it is asked."""

    operation: Name
    values: Values = msgspec.field(default_factory=dict)


class Paging(paging.Paging, frozen=True, kw_only=True):
    """Without ``next``, ``after`` takes the last key seen. The list ends where ``more`` is false, where ``next`` is empty, or
    with a page that is not full. ``total``: where the answer says how many there are in all; that must add up.
    ``page_size``: so many are asked for, which the account may set otherwise.
    """

    page_size: Annotated[int, Meta(ge=1, le=100_000)] = 500
    total: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.size or self.more or self.next or self.total):
            raise ValueError("give size, more, next or total: without, the end cannot be seen")


class Gone(Closed, frozen=True, kw_only=True):
    """``keys``: the answer's elements that hold keys of deleted records."""

    keys: Name


class Incremental(Asked, frozen=True, kw_only=True):
    """Reading what changed: ``since`` and ``clock`` are elements of the request and the answer, ``changed`` of the record."""

    gone: Never | Gone

    @property
    def told(self) -> str:
        """The elements with keys of deleted records; empty if the system never tells."""
        return "" if isinstance(self.gone, str) else self.gone.keys


class Listing(Call, frozen=True, kw_only=True):
    """How to read: all at once or in pages, whole or what changed. Answers with attachments (MTOM) need no word."""

    paging: Whole | Paging
    incremental: Incremental | None = None

    @property
    def pages(self) -> Paging | None:
        """The way of paging; None for a list in one answer."""
        return None if isinstance(self.paging, str) else self.paging


class Fetch(Call, frozen=True, kw_only=True):
    """How to read one record back; ``id`` takes what the system called it."""

    id: Name


class Sending(Call, frozen=True, kw_only=True):
    """One way to write. ``each``: the element that repeats, one per record; without it a call takes one record.

    ``key`` takes the idempotency key and ``id`` what the system calls the record, both below ``each``; so do
    ``item``'s values, while ``values`` go into the request once. The record itself goes where its element stands.
    """

    each: str = ""
    key: str = ""
    id: str = ""
    item: Values = msgspec.field(default_factory=dict)


class Receipt(receipt.Receipt, frozen=True, kw_only=True):
    """Where the answer says what became of each record. ``each``: the element that repeats, one per record.

    Below it: ``key`` as it was sent (else the order tells); without an ``id`` a record is called by its key; a ``status`` in
    ``again`` means to send it again; without ``status``, a ``code`` means that it is refused.
    """

    each: str = ""
    key: str = ""
    again: tuple[str, ...] = ()


class Writing(Closed, frozen=True, kw_only=True):
    """How to write: ``put`` for an operation that replaces, else ``create`` and ``update``; ``delete`` if there is one."""

    batch: Annotated[int, Meta(ge=1, le=10_000)] = 100
    put: Sending | None = None
    create: Sending | None = None
    update: Sending | None = None
    delete: Sending | None = None
    receipt: Receipt = Receipt()

    @property
    def ways(self) -> dict[str, Sending]:
        """Those that are declared, by name."""
        named = {"put": self.put, "create": self.create, "update": self.update, "delete": self.delete}
        return {name: way for name, way in named.items() if way is not None}


class Schema(Closed, frozen=True, kw_only=True):
    """One shared schema: the element that carries it and how it is reached."""

    record: Name
    key: Name
    listing: Listing | None = msgspec.field(name="list", default=None)
    fetch: Fetch | None = None
    write: Writing | None = None


class Declaration(Closed, frozen=True, kw_only=True):
    """A whole ``connector.yaml`` of the kind ``soap``. ``prefix``: the one the system writes for its records."""

    kind: Literal["soap"]
    title: Name
    wsdl: FileName
    prefix: str = ""
    login: login.Word | Key
    security: Security | None = None
    settings: Settings = msgspec.field(default_factory=dict)
    headers: dict[str, Values] = msgspec.field(default_factory=dict)
    errors: Errors = Errors()
    check: str | Call
    schemas: Annotated[dict[str, Schema], Meta(min_length=1)]
