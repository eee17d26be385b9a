"""Two real connectors, their sandboxes as the systems that are recorded, and what is read of them."""

import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from connectors.jobcenter.sandbox import JobcenterSandbox
from connectors.journal_rest.sandbox import JournalRestSandbox
from samspil import registry
from samspil.testing.recording import Recorder, load
from samspil.testing.world import World

RULES = Path(__file__).parent
SYSTEMS = {"journal_rest": (JournalRestSandbox, "760"), "jobcenter": (JobcenterSandbox, "730")}
SETTINGS = {"page_size": 25, "attempts": 1}


def read(name, account):
    """Every record of every schema, as dicts."""
    connector = registry.connector(name)(account)
    try:
        connector.check()
        return {
            schema: [one for page in connector.read(schema) for one in connector.decode(schema, page.raws)]
            for schema in connector.reads
        }
    finally:
        connector.close()


@pytest.fixture(scope="session")
def read_all():
    return read


@pytest.fixture(scope="session", params=SYSTEMS)
def recorded(request, tmp_path_factory):
    """A recording of everything that can be read, with what it was made from."""
    kind, municipality = SYSTEMS[request.param]
    file = tmp_path_factory.mktemp("recording") / f"{request.param}.jsonl"
    rules = load(RULES / f"{request.param}.yaml")
    with kind(World(municipality, citizens=60)) as sandbox:
        account = msgspec.structs.replace(sandbox.account, extra={**sandbox.account.extra, **SETTINGS})
        with Recorder(request.param, account, rules) as recorder:
            records = read(request.param, recorder.account)
            read(request.param, recorder.account)  # a second time, as two nights do
            recorder.save(file)
            again = file.with_name("again.jsonl")
            recorder.save(again)
    return SimpleNamespace(
        name=request.param, file=file, again=again, records=records, world=sandbox.world, account=account
    )


WRITTEN: list[str] = []
WATCHING: list[bool] = []


def _audit(event, arguments):
    if WATCHING and event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        WRITTEN.append(str(arguments[0]))


sys.addaudithook(_audit)  # cannot be taken away again, so it is idle but for ``no_file_written``


@pytest.fixture
def files_written():
    """The names of the files that are opened for writing during the test."""
    WRITTEN.clear()
    WATCHING.append(True)
    yield WRITTEN
    WATCHING.clear()
