"""Connectors and schemas are found by looking; a new one needs no list changed."""

from __future__ import annotations

import importlib
import sys

import pytest

import connectors
from samspil import registry
from samspil.connector import Connector
from samspil.errors import SettingsError
from samspil.mapping.mapping import FOLDER, folder_of

SOURCE = """
from samspil.connector import Connector

class Toy(Connector):
    title = "Toy"
    @classmethod
    def fields(cls, schema): return {}
    def check(self): pass
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A second folder of connectors, beside the real one; takes name and source."""
    monkeypatch.setattr(connectors, "__path__", [str(tmp_path)])

    def add(name, source=SOURCE):
        (tmp_path / name).mkdir()
        (tmp_path / name / "connector.py").write_text(source, "utf-8")
        importlib.invalidate_caches()

    yield add
    for name in [name for name in sys.modules if name.startswith("connectors.toy")]:
        del sys.modules[name]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package with an entry point; takes the connector's name and where it is."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    (site / "vendor_toys.py").write_text(SOURCE, "utf-8")

    def add(name, value="vendor_toys:Toy"):
        info = site / "vendor_toys-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor-toys\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[samspil.connectors]\n{name} = {value}\n", "utf-8")
        importlib.invalidate_caches()

    yield add
    sys.modules.pop("vendor_toys", None)


def test_every_folder_with_a_connector_is_one(folder, tmp_path):
    folder("toy_b")
    folder("toy_a")
    (tmp_path / "toy_without").mkdir()
    folder("_template", "raise RuntimeError")

    assert list(registry.connectors()) == ["toy_a", "toy_b"]
    assert registry.connector("toy_a").title == "Toy"


def test_an_installed_package_may_bring_a_connector(folder, installed):
    folder("toy_a")
    installed("toy_c")

    assert list(registry.connectors()) == ["toy_a", "toy_c"]
    assert issubclass(registry.connector("toy_c"), Connector)


def test_a_package_may_bring_the_mappings_of_its_connector(folder, installed, tmp_path):
    folder("toy_a")
    installed("toy_c")

    assert folder_of("toy_c") == tmp_path / "site" / "mappings"
    assert folder_of("toy_a") == folder_of("jobcenter") == FOLDER


def test_an_installation_s_own_mappings_go_before_a_package_s(installed):
    installed("jobcenter")

    assert folder_of("jobcenter") == FOLDER


def test_two_connectors_of_one_name_are_refused(folder, installed):
    folder("toy_a")
    installed("toy_a")

    with pytest.raises(SettingsError, match="two connectors have this name"):
        registry.connectors()
    with pytest.raises(SettingsError, match="two connectors have this name"):
        registry.connector("toy_a")


def test_an_unknown_name_is_answered_with_those_there_are(folder):
    folder("toy_a")

    with pytest.raises(SettingsError, match="there are toy_a"):
        registry.connector("toy_x")
    with pytest.raises(SettingsError, match="there are action_plan, activity"):
        registry.schema("toy_x")


def test_a_broken_connector_stops_nobody_who_uses_another(folder):
    folder("toy_a")
    folder("toy_b", "import no_such_module")

    assert registry.connector("toy_a").title == "Toy"
    with pytest.raises(SettingsError, match="toy_b: the connector cannot be imported"):
        registry.connectors()


@pytest.mark.parametrize("source", ["", SOURCE + "class Second(Toy): pass\n"])
def test_a_connector_file_has_exactly_one_connector(folder, source):
    folder("toy_a", source)

    with pytest.raises(SettingsError, match="must have one subclass of Connector"):
        registry.connector("toy_a")


@pytest.mark.parametrize("value", ["vendor_toys:SOURCE", "vendor_toys:missing", "builtins:str"])
def test_an_entry_point_that_is_no_connector_is_a_settings_error(folder, installed, value):
    folder("toy_a")
    installed("toy_c", value)

    with pytest.raises(SettingsError, match=r"^toy_c: "):
        registry.connector("toy_c")


def test_without_the_connectors_folder_the_installed_ones_are_left(monkeypatch, installed):
    monkeypatch.setitem(sys.modules, "connectors", None)
    installed("toy_c")

    assert list(registry.connectors()) == ["toy_c"]


def test_every_shared_schema_is_found_by_name():
    assert registry.schema("course_order").__name__ == "CourseOrder"
    assert list(registry.schemas()) == sorted(registry.schemas())


def test_missing_schemas_are_a_settings_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "schemas", None)

    with pytest.raises(SettingsError, match="not installed"):
        registry.schemas()
