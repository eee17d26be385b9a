"""How a list is paged. Each way knows its first query and, after an answer, the next one.

``size`` is the parameter that asks for so many records ("": the system decides); its limits are the OpenAPI file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

from msgspec import Struct
from requests.utils import parse_header_links

from samspil.declared import paging
from samspil.declared.paging import Whole
from samspil.errors import SettingsError

Query = Mapping[str, str | int]


class Step(NamedTuple):
    """One page as far as paging is concerned. ``more`` and ``next`` are what its body says, None if it does not."""

    url: str  # of the list
    sent: int  # records in the answer
    more: bool | None
    next: str | None
    link: str  # the header


class Paging(paging.Paging, frozen=True, kw_only=True):
    """Also by ``link``: the answer links to the next page, in the ``header`` Link (RFC 8288) or in its ``body`` at ``next``.

    ``total``: where the answer says how many there are in all; that must add up. Pages with numbers and offsets shift
    when a record goes while they are read, and the one that is missed would look deleted: give it where there is one.
    """

    link: Literal["", "header", "body"] = ""
    total: str = ""

    ways: ClassVar[tuple[str, ...]] = ("page", "offset", "after", "link")

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.next) != (bool(self.after) or self.link == "body"):
            raise ValueError(
                "`next` is the place of what leads on: it goes with `after` and with `link: body`, and they with it"
            )
        if self.offset and not self.size:
            raise ValueError("`offset` needs `size`: how far is the next page?")
        if self.more and (self.after or self.link):
            raise ValueError("`more` goes with `page` and `offset`; else `next` tells the end")


def pages(told: Whole | Paging) -> Pages:
    """How one gets from page to page of a list that is declared so."""
    if isinstance(told, str):
        return Pages()
    if told.page:
        return Numbered(size=told.size, parameter=told.page, first_page=told.first, more=told.more, total=told.total)
    if told.offset:
        return Offset(size=told.size, parameter=told.offset, more=told.more, total=told.total)
    if told.after:
        return Token(size=told.size, parameter=told.after, next=told.next, total=told.total)
    return Link(size=told.size, next=told.next, total=told.total)


class Pages(Struct, frozen=True, kw_only=True):
    """One page and no more."""

    size: str = ""
    total: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        """What is read in the answer's body, ``more``, ``next`` or ``total``, and where."""
        return {"total": self.total} if self.total else {}

    @property
    def parameters(self) -> tuple[str, ...]:
        """The query parameters it sends."""
        return (self.size,) if self.size else ()

    def first(self, size: int) -> Query:
        return {self.size: size} if self.size else {}

    def following(self, query: Query, step: Step) -> Query | None:
        """The query of the page after this one, None if it was the last."""
        del query, step
        return None

    def past(self, query: Query, step: Step) -> Query | None:
        """The query after a page that could not be read: the same again if the way on was in it, None at the end."""
        del step
        return query


class Numbered(Pages, frozen=True, kw_only=True):
    """Pages have numbers. ``more``: the place of a boolean; without it the first empty page is the end."""

    parameter: str
    first_page: int = 1
    more: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {**super().places, **({"more": self.more} if self.more else {})}

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.parameter, *super().parameters)

    def first(self, size: int) -> Query:
        return {self.parameter: self.first_page, **super().first(size)}

    def following(self, query: Query, step: Step) -> Query | None:
        more = step.more if self.more else step.sent > 0
        return self.past(query, step) if more else None

    def past(self, query: Query, step: Step) -> Query:
        del step
        return {**query, self.parameter: int(query[self.parameter]) + 1}


class Offset(Pages, frozen=True, kw_only=True):
    """So many records are left out. ``more``: as for numbered pages."""

    parameter: str
    more: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {**super().places, **({"more": self.more} if self.more else {})}

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.parameter, *super().parameters)

    def first(self, size: int) -> Query:
        return {self.parameter: 0, **super().first(size)}

    def following(self, query: Query, step: Step) -> Query | None:
        more = step.more if self.more else step.sent > 0
        return {**query, self.parameter: int(query[self.parameter]) + step.sent} if more else None

    def past(self, query: Query, step: Step) -> Query:
        del step
        return {**query, self.parameter: int(query[self.parameter]) + int(query[self.size])}


class Token(Pages, frozen=True, kw_only=True):
    """The answer has, at the place ``next``, an opaque text for the parameter; none, null or "" on the last page."""

    parameter: str
    next: str

    @property
    def places(self) -> Mapping[str, str]:
        return {**super().places, "next": self.next}

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.parameter, *super().parameters)

    def following(self, query: Query, step: Step) -> Query | None:
        return {**query, self.parameter: step.next} if step.next else None


class Link(Pages, frozen=True, kw_only=True):
    """The answer links to the next page, at the place ``next`` or, without it, in the header Link (RFC 8288).

    A link may change the query and nothing else: not the host, not the path.
    """

    next: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {**super().places, **({"next": self.next} if self.next else {})}

    def following(self, query: Query, step: Step) -> Query | None:
        del query
        link = step.next if self.next else _linked(step.link)
        return _query(step.url, link) if link else None

    def past(self, query: Query, step: Step) -> Query | None:
        """The header tells the way also where the body is broken, and the end too if it links to anything at all."""
        return query if self.next or not step.link else self.following(query, step)


def _linked(header: str) -> str:
    links = parse_header_links(header) if header else []
    return next((link["url"] for link in links if "next" in link.get("rel", "").lower().split()), "")


def _query(url: str, link: str) -> Query:
    here, there = urlsplit(url), urlsplit(urljoin(url, link))
    if there[:3] != here[:3]:
        raise SettingsError(
            "links to a next page at another address than the account's; put the address it uses in the account",
            field=f"{here.scheme}://{here.netloc}",
            reason="next-elsewhere",
        )
    return dict(parse_qsl(there.query, keep_blank_values=True))
