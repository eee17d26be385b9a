"""How a list comes in pages: the words that all kinds have in common."""

from __future__ import annotations

from typing import ClassVar, Literal

from samspil.declared.closed import Closed

Whole = Literal["none"]  # everything in one answer


class Paging(Closed, frozen=True, kw_only=True):
    """By ``page`` (its number, from ``first`` on), ``offset`` (records to leave out) or ``after`` (what the last answer ends
    with): what of the request takes it. ``size`` is what of the request takes the number of records on a page.

    ``next``: where the answer has what leads on. ``more``: where it says whether there is more.
    """

    page: str = ""
    first: int = 1
    offset: str = ""
    after: str = ""
    next: str = ""
    size: str = ""
    more: str = ""

    ways: ClassVar[tuple[str, ...]] = ("page", "offset", "after")

    def __post_init__(self) -> None:
        if [bool(getattr(self, way)) for way in self.ways].count(True) != 1:
            raise ValueError(f"give one of {', '.join(self.ways[:-1])} and {self.ways[-1]}")
