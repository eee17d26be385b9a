"""What a read gave, gathered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from samspil.connector import Page, Rejected
from samspil.errors import SamspilError


class Reading(NamedTuple):
    """The pages of one read, and the error that ended it, if one did."""

    pages: list[Page]
    error: SamspilError | None = None

    @classmethod
    def of(cls, pages: Iterable[Page]) -> Self:
        """Read to the end, or to an error that says what can be done."""
        found: list[Page] = []
        try:
            for page in pages:
                found.append(page)  # noqa: PERF402 - what came before an error counts
        except SamspilError as error:
            return cls(found, error)
        return cls(found)

    @property
    def keys(self) -> list[bytes]:
        return [bytes(key) for page in self.pages for key in page.keys]

    @property
    def raws(self) -> list[bytes]:
        return [bytes(raw) for page in self.pages for raw in page.raws]

    @property
    def rejected(self) -> list[Rejected]:
        return [one for page in self.pages for one in page.rejected]

    @property
    def gone(self) -> list[bytes]:
        return [bytes(key) for page in self.pages for key in page.gone]

    @property
    def cursors(self) -> list[str]:
        return [page.cursor for page in self.pages if page.cursor is not None]

    @property
    def by_key(self) -> Mapping[bytes, bytes]:
        return dict(zip(self.keys, self.raws, strict=False))

    @property
    def told(self) -> bool:
        """Whether the read said by itself that something is missing."""
        return self.error is not None or bool(self.rejected)
