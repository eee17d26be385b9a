"""A sandbox says facts by the mapping read backwards; until then by example; and a half-decided scaffold still answers."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import connectors
from samspil.connector import Field
from samspil.scaffold import new
from samspil.scaffold.sandboxes import said
from samspil.scaffold.testing import running, supposable, undecided
from samspil.testing.world import World

CONNECTORS = Path(connectors.__file__).parent
FACT = World("760", citizens=3).records("case")[0]
FIELDS = {
    "Nr": Field(required=True),
    "Dato": Field(required=True),
    "Part.CPR": Field(required=True),
    "Farve": Field(required=True),
}
MAPPING = """\
record: Sag
rows:
  - {theirs: Nr, ours: id}
  - {theirs: Dato, ours: opened, as: date}
  - {theirs: Part.CPR, ours: cpr, as: cpr}
lost:
  - {theirs: Farve, why: nobody needs the colour}
  - {ours: closed, why: the system has no end}
  - {ours: kle, why: the system has no subject}
  - {ours: target_group, why: the system has none}
  - {ours: case_worker, why: the system has none}
"""


def say(tmp_path, text):
    (tmp_path / "system").mkdir()
    (tmp_path / "system/case.yaml").write_text(text, "utf-8")
    return said("system", "case", FIELDS, lambda fact: {"Nr": fact["id"], "Farve": "blå"}, tmp_path)(FACT)


def test_a_fact_is_said_by_the_mapping_and_what_it_loses_by_example(tmp_path):
    expected = {"Nr": FACT["id"], "Dato": FACT["opened"].isoformat(), "Part": {"CPR": FACT["cpr"]}, "Farve": "blå"}
    assert expected == say(tmp_path, MAPPING)


def test_an_undecided_mapping_is_not_asked(tmp_path):
    assert {"Nr": FACT["id"], "Farve": "blå"} == say(tmp_path, MAPPING.replace("ours: id", 'ours: !TODO "which?"'))


@pytest.fixture
def scaffold(tmp_path, monkeypatch):
    """A made scaffold: (its folder, the class of its sandbox)."""
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path / "connectors")])

    def make(name, made):
        made.save()
        module = importlib.import_module(f"connectors.{name}.sandbox")
        (sandbox,) = [value for key, value in vars(module).items() if key.lower() == f"{name.replace('_', '')}sandbox"]
        return tmp_path / f"connectors/{name}", sandbox

    return make


@pytest.mark.parametrize(
    ("name", "wsdl", "schemas"),
    [
        ("scaffold_archive", "case_archive/case_archive.wsdl", ["case=Sag", "document=Dokument"]),
        ("scaffold_jobcenter", "jobcenter/jobcenter.wsdl", ["course_order=Bestilling", "activity=Aktivitet"]),
    ],
)
def test_it_answers_from_the_contract_before_anything_is_decided(scaffold, tmp_path, name, wsdl, schemas):
    folder, sandbox = scaffold(name, new.from_wsdl(name, CONNECTORS / wsdl, new.wanted(schemas), tmp_path))
    with running(folder, sandbox) as (started, kind):
        connector = kind(started.account)
        connector.check()
        for schema in kind.reads:
            keys = [key for page in connector.read(schema) for key in page.keys]
            assert len(keys) == len(set(keys)) > 0
        connector.close()


def test_it_answers_when_half_is_decided(scaffold, tmp_path):
    name = "scaffold_half"
    made = new.from_wsdl(name, CONNECTORS / "case_archive/case_archive.wsdl", new.wanted(["case=Sag"]), tmp_path)
    folder, sandbox = scaffold(name, made)
    file = folder / "connector.yaml"
    text = file.read_text("utf-8").replace('login: !TODO "how does one log in? none', 'login: basic  # "')
    file.write_text(text, "utf-8")
    with running(folder, sandbox) as (started, kind):
        assert started.account.password
        kind(started.account).check()


def test_without_a_way_to_read_nothing_is_supposed(scaffold, tmp_path):
    name = "scaffold_notes"
    file = tmp_path / "api.yaml"
    file.write_text(
        """\
openapi: 3.0.3
paths:
  /up: {get: {responses: {"200": {description: up}}}}
components: {schemas: {Note: {type: object, required: [id], properties: {id: {type: string}}}}}
""",
        "utf-8",
    )
    folder, sandbox = scaffold(name, new.from_openapi(name, file, new.wanted(["journal_note=Note"]), tmp_path))
    assert not supposable(folder)
    (mark,) = undecided(name, sandbox, tmp_path / "mappings").pytestmark
    assert "the_sandbox_answers" not in mark.kwargs["ids"]
