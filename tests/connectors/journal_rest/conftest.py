import msgspec
import pytest

from connectors.journal_rest.connector import JournalRest
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil.testing.world import World


@pytest.fixture(scope="session")
def world():
    return World("760", citizens=60)


@pytest.fixture
def sandbox(world):
    with JournalRestSandbox(world) as started:
        yield started


@pytest.fixture
def connect(sandbox):
    made = []

    def connector(**extra):
        account = msgspec.structs.replace(sandbox.account, extra={**sandbox.account.extra, "attempts": 1, **extra})
        made.append(JournalRest(account))
        return made[-1]

    yield connector
    for one in made:
        one.close()
