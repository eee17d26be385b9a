"""Where a setting's value goes: `{name}` in a text, in every kind alike; any other brace is itself."""

import pytest

from samspil.account import Settings
from samspil.declared.values import filled, fitting, named


class Given(Settings, frozen=True, kw_only=True):
    office: str = "north"
    number: int = 7
    trial: bool = True


@pytest.mark.parametrize(
    ("value", "there"),
    [
        ("{office}", "north"),
        ("{number}", 7),
        ("{trial}", True),
        ("nr. {number}, {trial}, {office}", "nr. 7, true, north"),
        ("{host}:{port}/{path}", "example.com:81/a/b"),
        ("{port}", 81),
        ("{{office}}", "{office}"),
        ("{{office}} is {office}", "{office} is north"),
        ("^[0-9]{8}$", "^[0-9]{8}$"),
        ('{"a": {}}', '{"a": {}}'),
        ({"a": ["{office}", {"b": "{number}"}], "c": 1.5}, {"a": ["north", {"b": 7}], "c": 1.5}),
    ],
)
def test_a_value_goes_where_its_name_stands_in_braces(value, there):
    assert there == filled(value, Given(url="https://example.com:81/a/b/"))


def test_what_belongs_to_a_call_is_another_each_time():
    first, second = (filled("{uuid} {now}", Given(url="https://x")) for _ in range(2))
    assert first.split()[0] != second.split()[0]
    assert fitting("{uuid} {now}", {}).fullmatch(first)
    assert ["uuid", "now"] == named("{uuid} {{office}} {now} {8}")


def test_a_filled_text_is_known_again():
    pattern = fitting("nr. {number} {{x}} {unknown}.", {"number": 7})
    assert pattern.fullmatch("nr. 7 {x} whatever.")
    assert not pattern.fullmatch("nr. 8 {x} whatever.")
