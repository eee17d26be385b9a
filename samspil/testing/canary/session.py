"""The search in every run of the tests: a pytest plugin, to be registered in a ``conftest.py``.

Each process of a run searches what its own tests did; the first process adds it up, writes ``build/canary.json`` and
fails the run if there is a find. With the environment variable SAMSPIL_CANARY=debug every logger tells all it can.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from samspil.testing.canary import places
from samspil.testing.canary.processes import Sampler
from samspil.testing.canary.tally import Tally
from samspil.testing.leaks.told import told
from samspil.testing.leaks.watch import Watch

NAME = "canary"
OURS = ("samspil", "connectors")  # loggers that tell all even when others need not


class Canary:
    """The plugin. ``tally`` is what this process searched."""

    def __init__(self, config: pytest.Config) -> None:
        self.tally = Tally(debug=os.environ.get("SAMSPIL_CANARY") == "debug")
        self.file = config.rootpath / "build" / "canary.json"
        self.test = ""
        self._config = config
        self._tests: dict[str, str] = {}  # a test's own folder → the test
        self._sampler = Sampler(lambda: self.test)
        self._watch = Watch(level=logging.DEBUG if self.tally.debug else None)
        self._patches: list[Any] = []

    @staticmethod
    def of(config: pytest.Config) -> Canary:
        """The plugin of a run."""
        found = config.pluginmanager.get_plugin(NAME)
        assert isinstance(found, Canary)  # noqa: S101 - the conftest registers it
        return found

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._base = Path(str(session.config._tmp_path_factory.getbasetemp()))  # type: ignore[attr-defined]  # noqa: SLF001 - before the next line moves it
        self._temporary = Path(tempfile.mkdtemp(prefix="t"))  # a short path: a socket's name is limited
        atexit.register(shutil.rmtree, self._temporary, ignore_errors=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._temporary)  # children too
        for name in OURS:
            logging.getLogger(name).setLevel(logging.DEBUG)
        self._patches = [
            _seeing(pytest.RaisesExc, "__exit__", lambda given, _: self._error(given[1])),
            _seeing(pytest.CaptureFixture, "readouterr", lambda _, made: self._said("captured output", made)),
            _seeing(subprocess.Popen, "communicate", lambda _, made: self._said("process output", made)),
        ]
        for one in self._patches:
            one.start()
        self._watch.__enter__()
        if not self._config.pluginmanager.hasplugin("dsession"):  # of several processes each looks at its own children,
            self._sampler.start()  # and knows which test they belong to

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self.test = item.nodeid
        self.tally.tests += 1
        done = yield
        self._watched()
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None:
            self._error(call.excinfo.value)
        if report.when == "teardown":  # its sections are those of all three
            self._said("captured output", [text for _, text in report.sections])
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if folder is not None:
            self._tests[Path(folder).name] = item.nodeid
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        part = getattr(node, "workeroutput", {}).get(NAME)  # none of a worker that crashed: that fails the run itself
        if part:
            self.tally.add(msgspec.json.decode(part, type=Tally))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._watched()
        self._sampler.end()
        self._watch.__exit__()
        for one in self._patches:
            one.stop()
        self.tally.add(self._sampler.tally)
        gc.collect()  # what is nobody's any more takes its files with it
        if not self._config.pluginmanager.hasplugin("dsession"):  # the first of several processes has run nothing
            places.folder(self.tally, self._base, self._test_of)
            places.folder(self.tally, self._temporary)
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[NAME] = msgspec.json.encode(self.tally).decode()
            return
        self.tally.write(self.file)
        if self.tally.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.tally.found:
            terminalreporter.section("canary: a person is shown")
            for find in self.tally.found:
                terminalreporter.write_line(str(find))

    def _watched(self) -> None:
        watch = self._watch
        kept = {
            "logs": watch.logged,
            "file names": watch.written,
            "process arguments": [*watch.started, *watch.looked_up],
        }
        for place, texts in kept.items():
            if texts:
                self._said(place, ["\n".join(texts)])
        for seen in (watch.logged, watch.written, watch.started, watch.looked_up, watch.contacted, watch.opened):
            seen.clear()

    def _said(self, place: str, texts: Iterable[str | bytes | None]) -> None:
        for text in texts:
            if text:
                self.tally.look(place, "said by a test's run", text, self.test)

    def _error(self, error: object) -> None:
        """An assertion's own message shows what the test expected: that is no leak."""
        if isinstance(error, BaseException) and not isinstance(error, AssertionError):
            self.tally.look("exceptions", type(error).__name__, told(error), self.test)

    def _test_of(self, path: Path) -> str:
        parts = path.relative_to(self._base).parts
        return self._tests.get(parts[0], re.sub(r"\d+$", "", parts[0]))


def _seeing(kind: type, name: str, see: Callable[[tuple[Any, ...], Any], None]) -> Any:
    """A patch of a method: what it was given and what it made is looked at, whatever comes of it."""
    plain = getattr(kind, name)

    def seen(one: Any, *given: Any, **named: Any) -> Any:
        made = plain(one, *given, **named)
        see(given, made)
        return made

    return patch.object(kind, name, seen)
