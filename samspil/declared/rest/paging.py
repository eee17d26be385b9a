"""How a list is paged. Each way knows its first query and, after an answer, the next one.

``size`` is the parameter that asks for so many records ("": the system decides); its limits are the OpenAPI file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

from msgspec import Struct
from requests.utils import parse_header_links

from samspil.errors import SettingsError

Query = Mapping[str, str | int]


class Step(NamedTuple):
    """One page as far as paging is concerned. ``more`` and ``next`` are what its body says, None if it does not."""

    url: str  # of the list
    sent: int  # records in the answer
    more: bool | None
    next: str | None
    link: str  # the header


class Paging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One page and no more."""

    size: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        """What is read in the answer's body, ``more`` or ``next``, and where."""
        return {}

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


class Whole(Paging, frozen=True, tag="none"):
    """Everything in one answer."""


class Numbered(Paging, frozen=True, tag="page"):
    """Pages have numbers. ``more``: the place of a boolean; without it the first empty page is the end."""

    parameter: str = "page"
    size: str = "pageSize"
    first_page: int = 1
    more: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {"more": self.more} if self.more else {}

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


class Offset(Paging, frozen=True, tag="offset"):
    """So many records are left out. ``more``: as for numbered pages."""

    parameter: str = "offset"
    size: str = "limit"
    more: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {"more": self.more} if self.more else {}

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


class Token(Paging, frozen=True, tag="token"):
    """The answer has, at the place ``next``, an opaque text for the parameter; none, null or "" on the last page."""

    parameter: str
    next: str

    @property
    def places(self) -> Mapping[str, str]:
        return {"next": self.next}

    @property
    def parameters(self) -> tuple[str, ...]:
        return (self.parameter, *super().parameters)

    def following(self, query: Query, step: Step) -> Query | None:
        return {**query, self.parameter: step.next} if step.next else None


class Link(Paging, frozen=True, tag="link"):
    """The answer links to the next page, at the place ``next`` or, without it, in the header Link (RFC 8288).

    A link may change the query and nothing else: not the host, not the path.
    """

    next: str = ""

    @property
    def places(self) -> Mapping[str, str]:
        return {"next": self.next} if self.next else {}

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
