"""What the parameters of a paged list are called, in Danish and English, as ``terms.plain`` spells names."""

from __future__ import annotations

PAGES = ("page", "pagenumber", "pageno", "pageindex", "side", "sidenummer", "sidenr")
OFFSETS = ("offset", "skip", "start", "startindex", "firstresult", "spring", "foersteresultat")
CURSORS = (
    "cursor",
    "token",
    "pagetoken",
    "continuationtoken",
    "continuation",
    "after",
    "nextpagetoken",
    "nexttoken",
    "efter",
)
SIZES = (
    *("pagesize", "limit", "size", "perpage", "top", "take", "count", "maxresults", "sidestoerrelse", "antal"),
    *("maxantal", "maksimaltantal", "maksimaltantalkvantitet"),
)
MORE = ("hasmore", "more", "morepages", "hasnext", "hasnextpage", "flere", "fleresider", "harflere")
NEXT = (
    *("next", "nextcursor", "nextpagetoken", "nexttoken", "cursor", "continuationtoken", "naeste", "fortsaetfra"),
    *("naestecursor", "naestemarkoer", "naestetoken"),
)
TOTALS = ("total", "totalcount", "antalialt", "totalantal")
PAGING = frozenset((*PAGES, *OFFSETS, *CURSORS, *SIZES))


def first(there: dict[str, str], names: tuple[str, ...]) -> str:
    """What stands under the first of these names; empty if under none."""
    return next((there[name] for name in names if name in there), "")
