"""What a ``connector.yaml`` of ``kind: rest`` may say: closed structs and nothing else, no expressions.

``path`` is a path of the OpenAPI file, spelled as there; ``call`` is a method and a path (``POST /v1/meetings``). A
place in an answer is a dotted path (``result.items``), "" for the answer itself. A ``{name}`` in a path is the
system's own id of the record; in the path of ``create`` it is the record's own field of that name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from samspil.declared.rest.paging import Link, Numbered, Offset, Token, Whole

Path = Annotated[str, Meta(pattern=r"^/\S*$")]
Call = Annotated[str, Meta(pattern=r"^(POST|PUT|PATCH|DELETE) /\S*$")]
Place = Annotated[str, Meta(pattern=r"^([^.\s]+(\.[^.\s]+)*)?$")]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
Header = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
Reason = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*$")]
Status = Annotated[int, Meta(ge=400, lt=500)]


class Closed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part: a word it does not know is an error."""


class NoLogin(Closed, tag="none", tag_field="kind", frozen=True, kw_only=True):
    """Nobody asks who calls."""


class Basic(Closed, tag="basic", tag_field="kind", frozen=True, kw_only=True):
    """HTTP Basic with the account's login and password."""


class Key(Closed, tag="key", tag_field="kind", frozen=True, kw_only=True):
    """A key in a header: the account's password."""

    header: Header


class Bearer(Closed, tag="bearer", tag_field="kind", frozen=True, kw_only=True):
    """A token that does not change: the account's password."""


class OAuth(Closed, tag="oauth", tag_field="kind", frozen=True, kw_only=True):
    """OAuth 2.0 client credentials; the account's login and password are the client's id and secret.

    ``token`` is a path below the account's address, or a URL; the account may set ``token_url`` and ``scope`` itself.
    ``form``: more fields of the token request, each with the setting it comes from.
    """

    token: Annotated[str, Meta(pattern=r"^(/|https?://)\S+$")]
    scope: str = ""
    form: dict[str, Name] = {}


class Setting(Closed, frozen=True, kw_only=True):
    """One setting of its own, in the account's ``extra``; without ``default`` an account must give it.

    ``least`` and ``most`` bound a number, or the length of a text.
    """

    type: Literal["text", "integer", "number", "boolean"] = "text"
    secret: bool = False
    default: str | int | float | bool | None = None
    least: int | float | None = None
    most: int | float | None = None


class Gone(Closed, frozen=True, kw_only=True):
    """Where an incremental read learns of deletions: exactly one of three ways.

    ``field``: a record in the list that has ``value`` in this field is a deleted one. ``keys``: the place in the
    list's answer of a list of keys. ``path``: a list of its own, of the same shape and paging, of deleted records.
    """

    field: str = ""
    value: str | bool | int = True
    keys: Place = ""
    path: Path | Literal[""] = ""


class Incremental(Closed, frozen=True, kw_only=True):
    """Reading what changed. ``since`` is the query's parameter, ``field`` the record's time of change.

    ``overlap``: seconds asked for again, so that what was committed late is found; what is read twice is dropped by
    its fingerprint. ``as_of``: the place of the system's own clock in a list's answer; without it the latest ``field``
    seen is where the next read starts, and never this machine's clock.
    """

    since: str
    field: str
    overlap: Annotated[int, Meta(ge=1, le=30 * 86_400)] = 900
    gone: Gone
    as_of: Place = ""


class List(Closed, frozen=True, kw_only=True):
    """Reading all: a path, where in its answer the records are, and how it is paged."""

    path: Path
    records: Place = "data"
    paging: Numbered | Offset | Token | Link | Whole = Numbered()
    incremental: Incremental | None = None


class Fetch(Closed, frozen=True, kw_only=True):
    """Reading one. ``within``: where in the answer the record is."""

    path: Path
    within: Place = ""


class Idempotency(Closed, frozen=True, kw_only=True):
    """Where the idempotency key goes: a header, or a field of the request (of each item of a batch)."""

    header: Header | Literal[""] = ""
    field: str = ""


class Batch(Closed, frozen=True, kw_only=True):
    """Creates and updates many to a call, each answered by itself with the idempotency key it was sent with.

    ``items``: the request's list. ``within`` and ``id``: the item's record, and the system's id for an update.
    ``results``: the place of the answer's list; ``status``: where in a result its own status is, if it has one.
    """

    call: Call
    size: Annotated[int, Meta(ge=1, le=5000)] = 100
    items: str = "items"
    within: str = "record"
    id: str = "id"
    results: Place = "results"
    status: Place = ""


class ReceiptAt(Closed, frozen=True, kw_only=True):
    """Where in the answer the system's id and its receipt number are; no ``reference`` if it gives none."""

    id: Place = "id"
    reference: Place = ""


class RefusedBy(Closed, frozen=True, kw_only=True):
    """What means that this one record is refused.

    ``statuses`` always do. ``code`` and ``field`` are places in the answer. A code in an answer with status 2xx is a
    business error unless it is one of ``success``: with a code of ``reasons`` the record is refused, with another the
    system is taken to be ill. ``reasons``: their code → ours, in kebab-case.
    """

    statuses: tuple[Status, ...] = (400, 404, 409, 422)
    code: Place = ""
    field: Place = ""
    success: tuple[str, ...] = ()
    reasons: dict[str, Reason] = {}


class Write(Closed, frozen=True, kw_only=True):
    """Writing, one by one or in batches. ``within``: the request's property that holds the record, "" if it is it."""

    create: Call | Literal[""] = ""
    update: Call | Literal[""] = ""
    delete: Call | Literal[""] = ""
    batch: Batch | None = None
    within: str = ""
    idempotency: Idempotency = Idempotency()
    receipt: ReceiptAt = ReceiptAt()
    refused: RefusedBy = RefusedBy()


class Declared(Closed, frozen=True, kw_only=True):
    """One shared schema. ``record`` is the OpenAPI component, ``key`` its field with the record's own key."""

    record: str
    key: str = "id"
    list: List | None = None
    fetch: Fetch | None = None
    write: Write | None = None


class Declaration(Closed, frozen=True, kw_only=True):
    """The whole file. ``headers``: header → setting. ``check``: a path to GET, answered in JSON. ``rate``: calls per second at most."""

    kind: Literal["rest"]
    title: Annotated[str, Meta(min_length=1)]
    openapi: str = "openapi.yaml"
    login: NoLogin | Basic | Key | Bearer | OAuth = NoLogin()
    headers: dict[Header, Name] = {}
    settings: dict[Name, Setting] = {}
    check: Path
    rate: Annotated[float, Meta(gt=0)] | None = None
    schemas: Annotated[dict[str, Declared], Meta(min_length=1)]
