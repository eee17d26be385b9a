"""The pytest plugin: results of the conformance kit in a file, and a short table at the end of the run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

PROPERTY, APART, DIGEST = "samspil", "samspil-apart", "samspil-digest"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("samspil", "samspil's conformance kit")
    group.addoption("--samspil-results", metavar="FILE", help="write to FILE which promises each connector kept")
    group.addoption("--samspil-why", action="store_true", help="say which promises do not concern a connector, and why")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that sees every report
        config.pluginmanager.register(Collected(config), "samspil-collected")


class Collected:
    """What the cases of the run showed, by connector."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._outcomes: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._apart: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._digests: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: dict[str, Any] = dict(report.user_properties)
        if PROPERTY not in told or not (report.when == "call" or report.failed):
            return
        connector, promise, _ = told[PROPERTY]
        self._outcomes[connector][promise].add(report.outcome)
        self._digests[connector] = told[DIGEST]
        self._apart[connector] += [tuple(one) for one in told.get(APART, ())]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._outcomes:
            return
        from samspil.testing.conformance import levels, results  # noqa: PLC0415 - most runs of pytest need none of it

        found = {
            connector: results.Result.of(self._digests[connector], outcomes, [one[0] for one in self._apart[connector]])
            for connector, outcomes in sorted(self._outcomes.items())
        }
        width = max(map(len, found))
        terminalreporter.section("conformance")
        for connector, result in found.items():
            counts = f"{len(result.passed):4} kept {len(result.failed):3} broken {len(result.skipped):3} skipped"
            level = levels.level(result, result.digest)
            terminalreporter.write_line(f"{connector:{width}} {counts} {len(result.apart):4} apart   {level}")
        if self._config.getoption("--samspil-why"):
            for connector, apart in self._apart.items():
                for promise, schema, why in apart:
                    terminalreporter.write_line(f"{connector}: {promise}{f'[{schema}]' if schema else ''}: {why}")
        file = self._config.getoption("--samspil-results")
        if file:
            results.write(Path(file), found)
