"""What a search looked at and found, by place; parts of several processes add up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from samspil.testing.canary.allowed import Allowed, allowing
from samspil.testing.canary.search import shown

PLACES = (
    "logs",
    "exceptions",
    "captured output",
    "process output",
    "XCom",
    "rendered templates",
    "Airflow's database",
    "Airflow's logs",
    "store",
    "temporary files",
    "file names",
    "process arguments",
)


class Place(msgspec.Struct):
    """Counts of one place: things looked at, their bytes, what was found, and what was found and may be there."""

    searched: int = 0
    bytes: int = 0
    finds: int = 0
    allowed: int = 0

    def add(self, other: Place) -> None:
        """Count another's too."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Find(msgspec.Struct, frozen=True):
    """Where the canary was found and how it is spelled there; never the value."""

    place: str
    where: str
    test: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.where}: {self.what}{f' ({self.test})' if self.test else ''}"


class Tally(msgspec.Struct):
    """All of it. ``tests`` is how many tests were run; ``debug`` whether all logs were at their most talkative."""

    places: dict[str, Place] = msgspec.field(default_factory=lambda: {place: Place() for place in PLACES})
    found: list[Find] = msgspec.field(default_factory=list)
    tests: int = 0
    debug: bool = False

    def look(self, place: str, where: str, data: str | bytes, test: str = "") -> None:
        """Search data that is shown at a place; ``where`` says where there. Both are known words, without values."""
        blob = data.encode(errors="surrogateescape") if isinstance(data, str) else data
        self.note(place, where, len(blob), shown(blob), test)

    def note(self, place: str, where: str, size: int, what: str, test: str = "") -> None:
        """Count what was searched, and what it shows, if anything."""
        counts = self.places[place]
        counts.searched += 1
        counts.bytes += size
        if what and allowing(place, where, test):
            counts.allowed += 1
        elif what:
            counts.finds += 1
            where = "(its name shows the person)" if shown(where.encode(errors="surrogateescape")) else where
            self.found.append(Find(place, where, test, what))

    def add(self, other: Tally) -> None:
        """Count another's too."""
        for place, counts in other.places.items():
            self.places[place].add(counts)
        self.found += other.found
        self.tests += other.tests
        self.debug |= other.debug

    def rows(self) -> Iterable[Sequence[str]]:
        """The table: place, things searched, bytes, finds, finds that the list allows."""
        for place, counts in self.places.items():
            yield place, *(f"{getattr(counts, name):,}" for name in counts.__struct_fields__)

    def write(self, file: Path) -> None:
        """As JSON, with the list of what may be where and why."""
        finds = sum(counts.finds for counts in self.places.values())
        report = {"finds": finds, "tests": self.tests, "debug": self.debug, "places": self.places, "found": self.found}
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(msgspec.to_builtins({**report, "allowed": Allowed.all()}), indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")
