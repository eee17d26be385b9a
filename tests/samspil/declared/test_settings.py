"""The settings of the system's own: the same words and the same refusals in every kind."""

import msgspec
import pytest

from samspil.account import Account, Settings
from samspil.declared import settings as spelled
from samspil.declared.closed import Closed
from samspil.declared.settings import settings_class
from samspil.errors import SettingsError
from samspil.yamlfile import YamlFile


class Told(Closed, frozen=True, kw_only=True):
    settings: spelled.Settings


@pytest.fixture
def made(tmp_path):
    """The class of a file whose settings are the text."""

    def make(text):
        path = tmp_path / "connector.yaml"
        path.write_text(f"settings:\n  {text}\n")
        return settings_class("OwnSettings", YamlFile(path, Told), Settings)

    return make


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        ("{type: integer, least: 1, most: 9}", 9, 10),
        ("{type: number, least: 0.5, default: 1}", 0.5, 0.4),
        ("{most: 3, default: ''}", "abc", "abcd"),
        ("{most: 3, default: ''}", "", 7),
        ("{pattern: '^[0-9]{8}$'}", "29189609", "2918960"),
        ("{pattern: '^[0-9]{8}$'}", "29189609", "29189609\n"),
        ("{}", "a", ""),
        ("text", "a", ""),
        ("secret", "a", ""),
        ("integer", 7, "7"),
        ("number", 0.5, "0.5"),
        ("boolean", True, "yes"),
        ("{type: boolean, default: false}", True, "yes"),
    ],
)
def test_a_setting_is_typed_and_bounded(made, setting, good, bad):
    kind = made(f"area: {setting}")
    assert good == Account(id="x", extra={"area": good}).settings(kind).area
    with pytest.raises(SettingsError, match="area"):
        Account(id="x", extra={"area": bad}).settings(kind)


@pytest.mark.parametrize("setting", ["text", "secret", "integer", "number", "boolean", "{}", "{secret: true}"])
def test_a_setting_without_a_default_must_be_given(made, setting):
    with pytest.raises(SettingsError, match="area"):
        Account(id="x").settings(made(f"area: {setting}"))


def test_one_with_a_default_need_not_be_given_and_nothing_else_may_be(made):
    kind = made("area: {default: north}")
    assert "north" == Account(id="x").settings(kind).area
    with pytest.raises(SettingsError, match="unknown field `colour`"):
        Account(id="x", extra={"colour": "red"}).settings(kind)


@pytest.mark.parametrize("setting", ["secret", "{secret: true}", "{secret: true, pattern: x, default: x}"])
def test_a_secret_is_marked(made, setting):
    (field,) = [one for one in msgspec.structs.fields(made(f"key: {setting}")) if one.name == "key"]
    found = []
    kind = field.type
    while hasattr(kind, "__metadata__"):
        found += [meta.extra for meta in kind.__metadata__ if meta.extra]
        kind = kind.__origin__
    assert [{"secret": True}] == found


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("url: text", "settings.url", "is a setting already"),
        ("password: secret", "settings.password", "is a setting already"),
        ("host: text", "settings.host", "is a setting already"),
        ("uuid: text", "settings.uuid", "is a setting already"),
        ("X-1: text", "settings", "regex"),
        ("area: shell", "settings.area", "Invalid enum value 'shell'"),
        ("area: {kind: text}", "settings.area", "unknown field `kind`"),
        ("area: {type: integer, default: x}", "settings.area.default", "is no integer within its limits"),
        ("area: {pattern: '^[0-9]$', default: x}", "settings.area.default", "is no text within its limits"),
        ("area: {type: boolean, least: 1}", "settings.area", "a boolean has no limits"),
        ("area: {type: integer, pattern: x}", "settings.area", "only a text"),
        ("area: {type: number, secret: true}", "settings.area", "only a text"),
        ("area: {least: 3, most: 2}", "settings.area", "least is more than most"),
        ("area: {most: 2.5}", "settings.area", "whole characters"),
        ("area: {pattern: '['}", "settings.area.pattern", "is not a regular expression"),
    ],
)
def test_a_setting_that_cannot_be_is_one_clear_line(made, text, field, message):
    with pytest.raises(SettingsError, match=message) as caught:
        made(text)
    assert (field, 1 if field == "settings" else 2) == (caught.value.field, caught.value.line)
