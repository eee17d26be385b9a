"""An open decision is spelled one way; every loader refuses it with its line and its question."""

from __future__ import annotations

import pytest

from samspil import mapping, registry
from samspil.connector import Field
from samspil.declared import declared
from samspil.errors import SettingsError
from samspil.scaffold import TODO, Decision, decisions

DECLARATION = """\
kind: drop
title: Files
folder: ud
schemas:
  company:
    record: Firma
    key: !TODO "which column?"
    list:
      files: Firma_{date}.csv
      format: csv
      complete: !TODO "how is a whole file known?"
      columns: [{name: Nummer, required: true}]
"""


@pytest.fixture
def folders(tmp_path):
    connector, mappings = tmp_path / "connectors/files", tmp_path / "mappings/files"
    connector.mkdir(parents=True)
    mappings.mkdir(parents=True)
    (connector / "__init__.py").touch()
    (connector / "connector.yaml").write_text(DECLARATION, "utf-8")
    return connector, mappings


def test_a_declaration_with_one_is_refused_with_its_line_and_question(folders):
    with pytest.raises(SettingsError) as error:
        declared(folders[0] / "connector.yaml")
    assert "to-decide" == error.value.reason
    assert str(error.value).endswith("connector.yaml:7: schemas.company.key: to decide: which column?")


def test_a_mapping_with_one_is_refused_too(folders):
    (folders[1] / "company.yaml").write_text(
        'record: Firma\nrows:\n  - {theirs: Nummer, ours: !TODO "which?"}\n', "utf-8"
    )
    with pytest.raises(SettingsError, match=r"company\.yaml:3: rows\[0\]\.ours: to decide: which\?"):
        mapping.load(
            "files",
            "company",
            fields={"Nummer": Field(required=True)},
            struct=registry.schema("company"),
            folder=folders[1].parent,
        )


def test_all_are_listed_in_order(folders, tmp_path):
    (folders[1] / "company.yaml").write_text('record: !TODO "what?"\nrows: []\n', "utf-8")
    assert [
        Decision("connectors/files/connector.yaml", 7, "schemas.company.key", "which column?"),
        Decision("connectors/files/connector.yaml", 11, "schemas.company.list.complete", "how is a whole file known?"),
        Decision("mappings/files/company.yaml", 1, "record", "what?"),
    ] == decisions(*folders, root=tmp_path)


def test_what_a_vendor_wrote_is_no_decision(folders, tmp_path):
    (folders[0] / "connector.yaml").unlink()
    (folders[0] / "openapi.yaml").write_text('description: "TODO"\nother: !TODO "vendor"\n', "utf-8")
    assert [] == decisions(*folders, root=tmp_path)


def test_a_file_that_is_broken_is_told(folders, tmp_path):
    (folders[0] / "connector.yaml").write_text("kind: [", "utf-8")
    with pytest.raises(SettingsError, match=r"connector\.yaml:2: is not YAML"):
        decisions(*folders, root=tmp_path)
    (folders[0] / "connector.yaml").unlink()
    (folders[0] / "connector.py").write_text("def broken(:\n", "utf-8")
    with pytest.raises(SettingsError, match=r"connector\.py:1: is no Python"):
        decisions(*folders, root=tmp_path)


def test_in_python_it_is_raised_and_names_its_place(folders, tmp_path):
    (folders[0] / "connector.yaml").unlink()
    file = folders[0] / "connector.py"
    file.write_text('from samspil.scaffold import TODO\n\n\ndef check():\n    raise TODO("which call?")\n', "utf-8")
    assert [Decision("connectors/files/connector.py", 5, "check", "which call?")] == decisions(*folders, root=tmp_path)
    made = {}
    exec(compile(file.read_text("utf-8"), str(file), "exec"), made)
    with pytest.raises(SettingsError, match=r"connector\.py:5: to decide: which call\?") as error:
        made["check"]()
    assert "to-decide" == error.value.reason
    assert isinstance(TODO("?"), SettingsError)
