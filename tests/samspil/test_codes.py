"""Code lists are dated data, and a wrong file is pointed at by line."""

from __future__ import annotations

from datetime import date

import pytest

from samspil import codes
from samspil.errors import SettingsError

HEAD = "code,valid_from,valid_to,da,en\n"


@pytest.fixture
def load(tmp_path):
    def load(text, name="colours", encoding="utf-8"):
        (tmp_path / f"{name}.csv").write_bytes(text.encode(encoding))
        return codes.load(name, tmp_path)

    return load


def test_the_start_is_inclusive_and_the_end_exclusive(load):
    colours = load(HEAD + "red,2020-01-01,2024-01-01,rød,red\n")

    assert [
        colours.valid("red", date(*day)) for day in [(2019, 12, 31), (2020, 1, 1), (2023, 12, 31), (2024, 1, 1)]
    ] == [False, True, True, False]


def test_an_expired_code_stays_in_the_list(load):
    colours = load(HEAD + "red,2020-01-01,2024-01-01,rød,red\nblue,2020-01-01,,blå,blue\n")

    assert "red" in colours
    assert "green" not in colours
    assert not colours.valid("green", date(2024, 1, 1))
    assert [code.code for code in colours.on(date(2024, 1, 1))] == ["blue"]


def test_a_code_may_come_back_after_a_pause(load):
    colours = load(HEAD + "red,2024-01-01,,rød,red\nred,2020-01-01,2022-01-01,rød,red\n")

    assert [colours.valid("red", date(year, 6, 1)) for year in (2021, 2023, 2025)] == [True, False, True]


def test_a_period_may_begin_on_the_day_the_last_one_ended(load):
    colours = load(HEAD + "red,2020-01-01,2022-01-01,rød,red\nred,2022-01-01,,rød,red\n")

    assert colours.valid("red", date(2022, 1, 1))


def test_the_digest_changes_with_content_and_not_with_layout(load):
    first = load(HEAD + "red,2020-01-01,,rød,red\nblue,2020-01-01,,blå,blue\n")
    other_layout = load("\ufeff" + HEAD + 'blue,2020-01-01,,"blå",blue\n\nred,2020-01-01,,rød,red')
    ended = load(HEAD + "red,2020-01-01,2025-01-01,rød,red\nblue,2020-01-01,,blå,blue\n")
    relabelled = load(HEAD + "red,2020-01-01,,rødt,red\nblue,2020-01-01,,blå,blue\n")

    assert len(first.digest) == 16
    assert first.digest == other_layout.digest
    assert len({first.digest, ended.digest, relabelled.digest}) == 3


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "first line"),
        ("code;valid_from;valid_to;da;en\n", 1, "first line"),
        (HEAD + "red,2020-01-01,,rød\n", 2, "4 columns"),
        (HEAD + "red,2020-01-01,,rød, orange,red\n", 2, "6 columns"),
        (HEAD + "ok,2020-01-01,,a,b\nred,20200101,,rød,red\n", 3, "valid_from"),
        (HEAD + "red,01-01-2020,,rød,red\n", 2, "valid_from"),
        (HEAD + "red,,,rød,red\n", 2, "valid_from"),
        (HEAD + "red,2020-01-01,2020-02-30,rød,red\n", 2, "valid_to"),
        (HEAD + "red,2020-01-01,2020-01-01,rød,red\n", 2, "after valid_from"),
        (HEAD + " red,2020-01-01,,rød,red\n", 2, "spaces"),
        (HEAD + ",2020-01-01,,rød,red\n", 2, "empty"),
        (HEAD + "red,2020-01-01,,,red\n", 2, "label"),
        (HEAD + "red,2020-01-01,,rød,red\nred,2020-01-01,,rød,red\n", 3, "already in line 2"),
        (HEAD + "red,2020-01-01,,rød,red\nblue,2020-01-01,,blå,blue\nred,2024-01-01,,rød,red\n", 4, "that of line 2"),
        (HEAD + "red,2022-01-01,,rød,red\nred,2020-01-01,2023-01-01,rød,red\n", 3, "that of line 2"),
        (HEAD + 'red,2020-01-01,,"rød,red\n', 2, "is not CSV"),
    ],
)
def test_a_wrong_file_is_pointed_at_by_line(load, text, line, what):
    with pytest.raises(SettingsError, match=what) as caught:
        load(text)

    assert caught.value.line == line
    assert caught.value.file.endswith("colours.csv")


def test_a_list_that_is_missing_or_not_utf_8_is_a_settings_error(load, tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        codes.load("absent", tmp_path)
    with pytest.raises(SettingsError, match="UTF-8"):
        load(HEAD + "red,2020-01-01,,rød,red\n", encoding="latin-1")


def test_the_lists_of_the_shared_schemas_are_well_formed():
    lists = codes.load_all()

    assert lists["target_group"].valid("11", date(2026, 1, 1))
    assert lists["attendance_status"].valid("absent", date(2023, 12, 31))
    assert not lists["attendance_status"].valid("absent", date(2024, 1, 1))
