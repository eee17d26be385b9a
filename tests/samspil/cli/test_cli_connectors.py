"""``samspil connectors``: what there is, with the level that each has shown."""

import json

import pytest
import typer
from typer.testing import CliRunner

import connectors as connectors_package
from connectors.journal_rest.connector import JournalRest
from samspil.cli import connectors
from samspil.testing.conformance import promises
from samspil.testing.conformance.results import Result, digest, write


@pytest.fixture
def listed(tmp_path):
    """Run the command on a file of results in which the REST journal kept everything."""
    app, file = typer.Typer(), tmp_path / "conformance.json"
    connectors.add_to(app)
    app.command("other")(lambda: None)
    found = Result(
        engine="9.9.9", digest=digest("journal_rest", JournalRest), date="2026-11-22", passed=list(promises())
    )
    write(file, {"journal_rest": found, "star": Result(engine="9.9.9", digest="old", date="2026-01-01")})

    def run(*arguments):
        done = CliRunner().invoke(app, ["connectors", *arguments, "--results", str(file)])
        assert 0 == done.exit_code, done.output
        return done.output

    return run


def test_each_connector_is_listed_with_what_it_does_and_its_level(listed):
    rows = {one["connector"]: one for one in json.loads(listed("--json"))}
    journal = rows["journal_rest"]
    assert ("trustworthy", "9.9.9", "2026-11-22") == (journal["level"], journal["version"], journal["date"])
    assert ("python", "course_order") == (journal["kind"], journal["writes"])
    assert "not tried" == rows["jobcenter"]["level"]
    assert "changed since last run" == rows["star"]["level"]


def test_one_connector_is_told_what_it_lacks(listed):
    assert "It has every level" in listed("journal_rest")
    assert "never tried" in listed("jobcenter")
    assert "it_has_a_title" in listed("star")


def test_one_that_is_undecided_keeps_none_of_the_others_from_being_listed(listed, tmp_path, monkeypatch):
    folder = tmp_path / "more" / "toy_register"
    folder.mkdir(parents=True)
    (folder / "connector.yaml").write_text("kind: rest\ntitle: TODO\n", encoding="utf-8")
    monkeypatch.setattr(connectors_package, "__path__", [*connectors_package.__path__, str(folder.parent)])
    rows = {one["connector"]: one for one in json.loads(listed("--json"))}
    assert ("unusable", "trustworthy") == (rows["toy_register"]["level"], rows["journal_rest"]["level"])
    assert "connector.yaml" in listed()
