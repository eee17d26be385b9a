import base64

import pytest

from samspil.errors import SettingsError
from samspil.vault import Master

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
ONE, TWO = (base64.b64encode(key).decode() for key in (FIRST, SECOND))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.delenv("SAMSPIL_KEY", raising=False)
    monkeypatch.delenv("SAMSPIL_KEY_FILE", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        (ONE, {1: FIRST}),
        (f"{ONE}\n", {1: FIRST}),
        (f"1:{ONE}", {1: FIRST}),
        (f"7:{ONE},2:{TWO}", {7: FIRST, 2: SECOND}),
        (f"1:{ONE}\n2:{TWO}\n", {1: FIRST, 2: SECOND}),
        (f"{ONE}, 2:{TWO}", {1: FIRST, 2: SECOND}),
    ],
)
def test_a_key_or_several_versions_are_read(text, versions):
    master = Master.parse(text, "SAMSPIL_KEY")
    assert (versions, max(versions)) == (master.versions, master.newest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not base64!", "must be 32 bytes"),
        ("æøå", "must be 32 bytes"),
        (base64.b64encode(b"short").decode(), "must be 32 bytes"),
        (f"1:{ONE},1:{TWO}", "version 1 twice"),
        (f"0:{ONE}", "from 1 to 32767"),
        (f"99999:{ONE}", "from 1 to 32767"),
        (f"1:{ONE},2:", "must be 32 bytes"),
    ],
)
def test_a_wrong_key_stops_without_showing_it(environment, text, said):
    environment.setenv("SAMSPIL_KEY", text)
    with pytest.raises(SettingsError, match=said) as caught:
        Master.from_environment("730")
    assert "SAMSPIL_KEY" in str(caught.value)
    assert text not in str(caught.value)
    assert ONE not in str(caught.value)


def test_a_missing_key_says_how_to_make_one():
    with pytest.raises(SettingsError, match="openssl rand") as caught:
        Master.from_environment("730")
    assert "no-master-key" == caught.value.reason


def test_the_key_may_come_from_a_file_with_a_version_a_line(environment, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"1:{ONE}\n2:{TWO}\n")
    file.chmod(0o640)
    environment.setenv("SAMSPIL_KEY_FILE", str(file))
    assert {1: FIRST, 2: SECOND} == Master.from_environment("730").versions


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644])
def test_a_file_that_others_may_read_or_change_is_refused(environment, tmp_path, mode):
    file = tmp_path / "key"
    file.write_text(ONE)
    file.chmod(mode)
    environment.setenv("SAMSPIL_KEY_FILE", str(file))
    with pytest.raises(SettingsError, match="chmod o="):
        Master.from_environment("730")


def test_a_file_that_is_not_there_is_named(environment, tmp_path):
    environment.setenv("SAMSPIL_KEY_FILE", str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match=r"gone: SAMSPIL_KEY_FILE: cannot be read"):
        Master.from_environment("730")


def test_each_municipality_may_have_a_file_of_its_own(environment, tmp_path):
    for code, key in (("730", ONE), ("760", TWO)):
        (tmp_path / f"{code}.key").write_text(key)
        (tmp_path / f"{code}.key").chmod(0o600)
    environment.setenv("SAMSPIL_KEY_FILE", str(tmp_path / "{municipality}.key"))
    assert ({1: FIRST}, {1: SECOND}) == tuple(Master.from_environment(code).versions for code in ("730", "760"))
    with pytest.raises(SettingsError, match=r"751\.key: SAMSPIL_KEY_FILE: cannot be read"):
        Master.from_environment("751")
