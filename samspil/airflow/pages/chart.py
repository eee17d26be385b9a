"""The bars of a flow's nights: where each stands, in the units of the drawing. The template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from samspil.airflow.pages.nights import NIGHTS, Night
from samspil.airflow.pages.words import Words

SERIES = ("read", "delivered", "held_back")
LEFT, SLOT, BAR, TOP, HEIGHT, STRIP = 120, 44, 26, 14, 56, 84


class Bar(NamedTuple):
    """One bar of a strip and what it says when pointed at."""

    x: float
    y: float
    height: float
    says: str


class Strip(NamedTuple):
    """One series on its own scale: a night reads thousands and delivers a few, and both must be seen."""

    name: str
    top: float
    base: float
    most: int
    bars: Sequence[Bar]


class Chart(NamedTuple):
    """The whole drawing. ``days`` are (x of the middle, date) under the bars."""

    width: float
    height: float
    strips: Sequence[Strip]
    days: Sequence[tuple[float, str]]


def chart(nights: Sequence[Night], words: Words) -> Chart:
    """Bars for runs given newest first; the newest is drawn at the right, whatever their number."""
    places = [(LEFT + (NIGHTS - 1 - n) * SLOT, night) for n, night in enumerate(nights[:NIGHTS])]
    strips = []
    for n, name in enumerate(SERIES):
        top = n * STRIP
        base = top + TOP + HEIGHT
        most = max((getattr(night.counts, name) for _, night in places), default=0)
        bars = []
        for x, night in places:
            value = getattr(night.counts, name)
            height = max(2.0, round(HEIGHT * value / most, 1)) if value else 0.0
            says = f"{words.moment(night.run.started)}: {words(name)} {words.number(value)}"
            bars.append(Bar(x + (SLOT - BAR) / 2, base - height, height, says))
        strips.append(Strip(name, top, base, most, bars))
    return Chart(LEFT + NIGHTS * SLOT, len(SERIES) * STRIP + 24, strips, _days(places, words))


def _days(places: Sequence[tuple[float, Night]], words: Words) -> Sequence[tuple[float, str]]:
    """Dates under the bars, oldest first; the month only where it begins, or they would run into each other."""
    days: list[tuple[float, str]] = []
    month = ""
    for x, night in reversed(places):
        day, this = words.day(night.run.started).split(" ")
        days.append((x + SLOT / 2, day if this == month else f"{day} {this}"))
        month = this
    return days
