"""A YAML file as a struct."""

from typing import Literal

import msgspec
import pytest

from samspil.errors import SettingsError
from samspil.yamlfile import LIMIT, YamlFile


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    rows: list[dict[str, int]] = []


def read(path, text):
    path.write_text(text)
    return YamlFile(path, Shape)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.yaml"


def test_a_file_becomes_a_struct(path):
    assert read(path, "name: Randers\nrows:\n  - {a: 1}\n").value == Shape(name="Randers", rows=[{"a": 1}])


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("name: x\nrows:\n  - a: 1\n  - a: et\n", 4, "rows[1]"),
        ("name: x\n\nnames: y\n", 1, ""),
        ("name: x\nname: y\n", 2, "name"),
        ("name: [x\n", 2, ""),
        ("name: !!python/object:os.system x\n", 1, ""),
        ("name: 2026-02-30\n", 1, ""),
        ("name: x\nrows: &rows\n  - a: 1\n  - *rows\n", 0, "rows[1]"),
        ("name: &a x\nrows: *a\n", 0, "rows"),
        ("name: x\nrows:\n  - a: 1\n    b: et\n", 4, "rows[0].b"),
        ("? [a]\n: b\n", 1, ""),
        ("", 1, ""),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(path, text, line, field):
    with pytest.raises(SettingsError) as caught:
        read(path, text)
    assert (caught.value.file, caught.value.line) == (str(path), line)
    assert caught.value.field.startswith(field)


def test_a_file_that_is_missing_too_large_or_not_text_is_refused(path):
    with pytest.raises(SettingsError, match="cannot be read"):
        YamlFile(path, Shape)
    path.write_bytes(b"name: " + b"x" * LIMIT)
    with pytest.raises(SettingsError, match="larger than"):
        YamlFile(path, Shape)
    path.write_bytes(b"name: \xe6\xff")
    with pytest.raises(SettingsError, match="not YAML"):
        YamlFile(path, Shape)


def test_an_alias_bomb_is_refused_at_once(path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(SettingsError):
        read(path, "\n".join(lines))


@pytest.mark.parametrize("deep", ["[" * 400_000, "name: " + "{a: " * 100_000, "- " * 100_000, "? " * 100_000])
def test_a_file_of_countless_levels_is_refused_and_does_not_end_the_process(path, deep):
    with pytest.raises(SettingsError, match=r"levels|not YAML") as caught:
        read(path, deep)
    assert (caught.value.file, caught.value.line) == (str(path), 1)


def test_levels_that_a_declaration_has_are_read(path):
    path.write_text("name: x\nrows:\n  - a: 1\n")
    assert YamlFile(path, Shape).value.rows == [{"a": 1}]
    with pytest.raises(SettingsError, match="Expected"):  # as deep as may be, and only then of the wrong type
        read(path, "name: " + "[" * 49 + "]" * 49)


class Deep(msgspec.Struct):
    parts: list[dict[str | int, dict[str, int]]]


def test_a_key_is_named_whatever_it_is_called(path):
    path.write_text("parts:\n  - {}\n  - 7: {a: 1}\n    x.y:\n      b: 1\n      c.d: et\n")
    with pytest.raises(SettingsError) as caught:
        YamlFile(path, Deep)
    assert ("parts[1].x.y.c.d", 6) == (caught.value.field, caught.value.line)


class Gone(msgspec.Struct, forbid_unknown_fields=True):
    keys: str


class Told(msgspec.Struct, forbid_unknown_fields=True):
    gone: Literal["never", "seldom"] | Gone
    ways: dict[str, list[Literal["in", "out"]]] = {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gone: none\n", "gone: Invalid enum value 'none'; it may be never, seldom, or a block of keys"),
        ("gone: never\nways: {a: [in, up]}\n", "Invalid enum value 'up'; it may be in, out"),
    ],
)
def test_a_word_that_is_none_of_those_allowed_is_answered_with_these(path, text, message):
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        YamlFile(path, Told)
