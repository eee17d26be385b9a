"""The declaration of a SOAP connector: what ``connector.yaml`` may say, closed and typed.

Paths are dotted local names as the WSDL has them. Those of a request start below the request's element, those of an
answer below the answer's, those of a record below the record. A value ``$name`` is that setting of the account,
``$uuid`` a new UUID for each call and ``$now`` the moment of the call in UTC; everything else is sent as it is.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Values = dict[str, Any]
Name = Annotated[str, Meta(min_length=1)]


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a declaration consists of: no field that is not asked for."""


class Header(Closed, frozen=True, kw_only=True):
    """A key in an HTTP header of this name; it is the account's ``api_key``."""

    header: Name


class Setting(Closed, frozen=True, kw_only=True):
    """A setting of the system's own. One without ``default`` must be given; ``secret`` is for keys and passwords."""

    about: str = ""
    pattern: str = ""
    default: str | None = None
    secret: bool = False


class Errors(Closed, frozen=True, kw_only=True):
    """The system's codes by what can be done about them.

    ``code``: the element in a fault that holds it, else ``faultcode`` does. ``status``: the element in an ordinary
    answer whose text must be one of ``passed``. ``missing``: there is no such record.
    """

    code: str = ""
    status: str = ""
    passed: list[str] = []
    access: list[str] = []
    unavailable: list[str] = []
    refused: list[str] = []
    missing: list[str] = []


class Call(Closed, frozen=True, kw_only=True):
    """An operation and what it is asked."""

    operation: Name
    values: Values = {}


class Paging(Closed, frozen=True, kw_only=True):
    """How a list comes in parts: by ``page`` (number), ``offset`` (records to skip) or ``after`` (the last key seen).

    ``next``: the element of the answer to send in ``after`` instead of the last key. ``size``: where the number of
    ``records`` per page goes, which the account may set otherwise (``page_size``). The list ends where ``more`` is
    false, where ``next`` is empty, or with a page that is not full. ``total`` must add up.
    """

    page: str = ""
    first: int = 1
    offset: str = ""
    after: str = ""
    next: str = ""
    size: str = ""
    records: Annotated[int, Meta(ge=1, le=100_000)] = 500
    more: str = ""
    total: str = ""


class Since(Closed, frozen=True, kw_only=True):
    """How to ask for what changed: ``field`` of the request takes the moment of the last read less ``overlap`` seconds.

    That moment is the answer's element ``clock`` (the system's own time) or the latest ``changed`` of the records. ``gone``: the answer's
    elements that hold keys of deleted records; null if the system never tells.
    """

    field: Name
    overlap: Annotated[int, Meta(ge=0)]
    clock: str = ""
    changed: str = ""
    gone: str | None


class Listing(Call, frozen=True, kw_only=True):
    """How to read: all at once, in pages, since a moment. Answers with attachments (MTOM) need no word."""

    paging: Paging | None = None
    since: Since | None = None


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
    item: Values = {}


class Receipts(Closed, frozen=True, kw_only=True):
    """Where the answer says what became of each record. ``each``: the element that repeats, one per record.

    Below it: ``key`` as it was sent (else the order tells), ``id`` is the system's name of the record (else its key),
    ``reference`` a receipt number; ``status`` must be in ``passed``, one in ``again`` means to send it again; ``code``
    and ``field`` tell why it is refused.
    """

    each: str = ""
    key: str = ""
    id: str = ""
    reference: str = ""
    status: str = ""
    passed: list[str] = []
    again: list[str] = []
    code: str = ""
    field: str = ""


class Writing(Closed, frozen=True, kw_only=True):
    """How to write: ``put`` for an operation that replaces, else ``create`` and ``update``; ``delete`` if there is one."""

    batch: Annotated[int, Meta(ge=1, le=10_000)] = 100
    put: Sending | None = None
    create: Sending | None = None
    update: Sending | None = None
    delete: Sending | None = None
    receipt: Receipts = Receipts()

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
    wsdl: Name
    prefix: str = ""
    login: Literal["none", "basic", "certificate"] | Header
    settings: dict[str, Setting] = {}
    headers: dict[str, Values] = {}
    errors: Errors = Errors()
    check: str | Call
    schemas: dict[str, Values]  # each is a Schema; read one by one, for the line of what is wrong
