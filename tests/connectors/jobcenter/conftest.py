"""A jobcenter's sandbox and a connector for it, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
import stamina

from connectors.jobcenter.connector import Jobcenter
from connectors.jobcenter.sandbox import JobcenterSandbox
from samspil.testing.world import World


@pytest.fixture(autouse=True)
def _no_waits():
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="module")
def world() -> World:
    return World("730", citizens=60)


@pytest.fixture
def sandbox(world):
    with JobcenterSandbox(world) as running:
        yield running


@pytest.fixture
def connect(sandbox) -> Callable[..., Jobcenter]:
    """Make a connector with other settings than the sandbox's own."""
    made = []

    def make(**settings: object) -> Jobcenter:
        account = sandbox.account
        fields = {name: settings.pop(name) for name in ("login", "password", "port", "schema") if name in settings}
        account = msgspec.structs.replace(account, **fields, extra={**account.extra, **settings})
        made.append(Jobcenter(account))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture
def jobcenter(connect) -> Jobcenter:
    return connect(page_size=25)
