"""The command that makes a recording, against a sandbox in place of a municipality's system."""

from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from connectors.jobcenter.sandbox import JobcenterSandbox
from samspil.cli import recording
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.registry import connector
from samspil.testing.recording import RecordingSandbox
from samspil.testing.world import World

RULES = Path(__file__).parent / "jobcenter.yaml"


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run the command against a running sandbox."""
    app = typer.Typer()
    recording.add_to(app)
    with JobcenterSandbox(World("730", citizens=60)) as sandbox:
        account = msgspec.structs.asdict(sandbox.account)
        account["extra"] = {**account["extra"], "page_size": 10}
        account.pop("id")
        monkeypatch.setenv("AIRFLOW_CONN_JOB", msgspec.json.encode(account).decode())

        def run(*arguments: str):
            fixed = [
                "recording",
                "make",
                "jobcenter",
                "job",
                "--rules",
                str(RULES),
                "--out",
                str(tmp_path / "job.jsonl"),
            ]
            return CliRunner().invoke(app, [*fixed, *arguments])

        yield run


def test_a_few_pages_are_recorded_and_read_again(command, tmp_path):
    result = command("--schema", "activity", "--pages", "2")
    assert 0 == result.exit_code, result.output
    assert "3 calls in" in result.output
    assert "20" in result.output
    with RecordingSandbox(tmp_path / "job.jsonl") as sandbox:
        replayed: Connector = connector("jobcenter")(sandbox.account)
        pages = replayed.read("activity")
        assert [10, 10] == [len(next(pages).keys) for _ in range(2)]
        replayed.close()


def test_a_schema_that_is_not_read_is_refused(command):
    result = command("--schema", "attendance")
    assert isinstance(result.exception, SettingsError)
    assert "does not read attendance; it reads course_order, activity" in str(result.exception)


def test_a_refusal_names_the_place_and_leaves_no_file(command, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.read_text().replace("  AntalIAlt: keep\n", ""))
    result = command("--rules", str(rules), "--pages", "2")
    assert "recording-not-covered" == result.exception.reason
    assert "AntalIAlt" in str(result.exception)
    assert not (tmp_path / "job.jsonl").exists()
