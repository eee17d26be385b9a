"""How one asks for what changed: the words that all kinds have in common."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from samspil.declared.closed import Closed, Word

Never = Literal["never"]
NEVER: Final = "never"


class Marked(Closed, frozen=True, kw_only=True):
    """``field``: the record's own, which says that it is deleted."""

    field: Word


class Incremental(Closed, frozen=True, kw_only=True):
    """Reading only what changed. ``changed`` is the record's own time of its last change.

    ``overlap``: seconds asked for again, so that what was committed late is found; what is read twice is dropped by
    its fingerprint.
    """

    changed: str = ""
    overlap: Annotated[int, Meta(ge=1, le=30 * 86_400)] = 3600


class Asked(Incremental, frozen=True, kw_only=True):
    """Reading what changed from a system that is asked by call. ``since`` takes the moment to ask from.

    That moment is the system's own, at the place ``clock`` of its answer, or else the latest ``changed`` seen, and never this
    machine's.
    """

    since: Word
    clock: str = ""

    def __post_init__(self) -> None:
        if not (self.clock or self.changed):
            raise ValueError("give clock or changed: where does the next read start?")
