"""The pages' content: what is found in the files and the stores, put together and written as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from samspil.agreement import MunicipalityFile
from samspil.airflow.pages import nights
from samspil.airflow.pages.chart import BAR, chart
from samspil.airflow.pages.municipalities import Listed
from samspil.airflow.pages.nights import Standing
from samspil.airflow.pages.step import Level, Step, balances, next_step
from samspil.airflow.pages.style import STYLE
from samspil.airflow.pages.words import Words
from samspil.errors import Unavailable
from samspil.store.expiries import Expiring

_templates = Environment(
    loader=PackageLoader("samspil.airflow.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Line(msgspec.Struct, frozen=True):
    """A flow's line in the overview."""

    standing: Standing
    step: Step

    @classmethod
    def of(cls, slug: str, standing: Standing, now: float) -> Line:
        """The line with the step that ``now`` asks for."""
        return cls(standing, next_step(slug, standing, now))

    @property
    def balances(self) -> bool | None:
        """Whether the latest run balances; None while that cannot be said."""
        return balances(self.standing.night) if self.standing.night else None

    @property
    def numbers(self) -> Mapping[str, int]:
        """What the step's words may quote."""
        planned = self.standing.night.run.planned if self.standing.night else None
        return {
            "held_back": self.standing.held_back,
            "held_by_target": self.standing.held_by_target,
            "updates": planned.updates if planned else 0,
            "deletions": planned.deletions if planned else 0,
            "unsent": self.standing.waiting.changes if self.standing.waiting else 0,
        }

    @property
    def system(self) -> str:
        """The system that the flow waits for, if one is away."""
        return self.standing.waiting.system if self.standing.waiting else ""

    @property
    def since(self) -> float:
        """Since when something waits, in seconds since 1970; 0 if nothing does."""
        return self.standing.waiting.since if self.standing.waiting else 0.0


class Town(msgspec.Struct, frozen=True):
    """A municipality's part of the overview. With ``error`` it has no lines."""

    dag_id: str
    file: MunicipalityFile | None
    lines: Sequence[Line] = ()
    error: str = ""
    expiring: Sequence[Expiring] = ()  # of what the systems' access rests on

    @property
    def name(self) -> str:
        """The municipality's name; of a file that cannot be used, the DAG's id."""
        return self.file.municipality.name if self.file else self.dag_id

    @property
    def levels(self) -> Sequence[Level]:
        """One for each flow; one in all where there is an error."""
        return [Level.STOPPED] if self.error else [line.step.level for line in self.lines]


def town(listed: Listed, now: float) -> Town:
    """How a municipality's flows stand. A store that does not answer is an error of this municipality only."""
    if listed.file is None:
        return Town(listed.dag_id, None, error=listed.error)
    try:
        with nights.looking(listed.file.municipality.code) as connection:
            standings = [nights.standing(connection, listed.file, flow) for flow in listed.file.flows]
            expiring = nights.expiring(connection, listed.file)
    except Unavailable as error:
        return Town(listed.dag_id, listed.file, error=str(error))
    lines = [Line.of(listed.dag_id, each, now) for each in standings]
    return Town(listed.dag_id, listed.file, lines, expiring=expiring)


def overview_page(listed: Sequence[Listed], words: Words, now: float) -> str:
    """The first page: every municipality given, those that need somebody first."""
    order = list(Level)
    towns = sorted((town(each, now) for each in listed), key=lambda each: min(map(order.index, each.levels), default=0))
    levels = [level for each in towns for level in each.levels]
    return page("overview", words, now, towns=towns, totals={level: levels.count(level) for level in Level})


def flow_page(listed: Listed, name: str, words: Words, now: float) -> str:
    """One flow's page. Raises KeyError if the municipality has no such flow, Unavailable if its store is away."""
    if listed.file is None:
        raise KeyError(name)
    flow = listed.file.flow(name)
    with nights.looking(flow.municipality.code) as connection:
        standing = nights.standing(connection, listed.file, flow)
        history = nights.history(connection, flow)
        reasons = nights.reasons(connection, flow)
    return page(
        "flow",
        words,
        now,
        town=Town(listed.dag_id, listed.file),
        line=Line.of(listed.dag_id, standing, now),
        nights=[(night, balances(night)) for night in history],
        reasons=reasons,
        chart=chart(history, words),
        bar_width=BAR,
    )


def message_page(what: str, words: Words, *, back: str) -> str:
    """A page that only says one thing; ``back`` is the address of the overview."""
    return page("message", words, 0, what=what, back=back)


def page(template: str, words: Words, now: float, **content: Any) -> str:
    """One of the templates, filled in."""
    return _templates.get_template(f"{template}.html").render(
        words=words,
        now=now,
        style=Markup(STYLE),  # noqa: S704  # a constant of ours; its hash is what the pages allow
        **content,
    )
