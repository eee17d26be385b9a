"""Keys and the ledger from the command line: a new master key, and somebody else checking an exported ledger."""

import base64
import json

import pytest

from samspil.ledger.head import FOLDER

TOWN = "ringkobing_skjern"
ATTENDANCE = "journal-attendance-jobcenter"
ONE, TWO = (base64.b64encode(key).decode() for key in (bytes(range(32)), bytes(range(32, 64))))


@pytest.fixture
def applied(town_on_sqlite, samspil, monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert 0 == samspil("apply", TOWN, "--flow", ATTENDANCE).code
    return town_on_sqlite


def test_a_new_master_key_is_brought_in_step_by_step(applied, samspil, monkeypatch):
    assert "✓ the municipality's key and the keys of" in samspil("keys", "check", TOWN).out
    monkeypatch.setenv("SAMSPIL_KEY", f"1:{ONE},2:{TWO}")
    assert f"Version 1 is still in use; change it: samspil keys rotate {TOWN}" in samspil("keys", "check", TOWN).out
    answer = samspil("keys", "rotate", TOWN)
    assert (0, "") == (answer.code, answer.err)
    assert f"✓ everything of {TOWN} is under version 2" in answer.out
    assert "Version 1 opens nothing any more here" in samspil("keys", "check", TOWN).out
    monkeypatch.setenv("SAMSPIL_KEY", f"2:{TWO}")
    assert 0 == samspil("apply", TOWN, "--flow", ATTENDANCE).code
    monkeypatch.setenv("SAMSPIL_KEY", ONE)
    answer = samspil("apply", TOWN)
    assert (2, "") == (answer.code, answer.out)
    assert "sealed under version 2 of the master key" in answer.err
    assert ONE not in answer.err


def test_somebody_else_checks_the_ledger_with_the_key_and_the_heads_kept_elsewhere(
    applied, samspil, monkeypatch, tmp_path
):
    file, heads, key = tmp_path / "ledger.jsonl", tmp_path / "760.jsonl", samspil("ledger", "key", TOWN).out.strip()
    assert 0 == samspil("ledger", "export", TOWN, str(file)).code
    assert heads.read_text().splitlines()[-1] == samspil("ledger", "head", TOWN).out.strip()
    monkeypatch.delenv("SAMSPIL_KEY")
    monkeypatch.delenv("SAMSPIL_STORE")
    answer = samspil("verify", str(file), "--public-key", key, "--head", str(heads))
    assert (0, "") == (answer.code, answer.err)
    assert "is whole" in answer.out
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert 0 == samspil("verify", str(file), "--public-key", key).code
    answer = samspil("verify", str(file), "--public-key", key, "--head", str(heads))
    assert (1, "") == (answer.code, answer.out)
    assert "its end was cut off" in answer.err


def test_a_file_cannot_vouch_for_itself_and_is_not_overwritten(applied, samspil, tmp_path):
    file = tmp_path / "ledger.jsonl"
    samspil("ledger", "export", TOWN, str(file))
    assert "a file cannot vouch for itself" in samspil("verify", str(file)).err
    assert "is there already" in samspil("ledger", "export", TOWN, str(file)).err


@pytest.mark.parametrize("exported", [False, True], ids=["from the store", "from an exported file"])
def test_single_proofs_are_checked_with_the_key_and_a_kept_head_alone(
    applied, samspil, monkeypatch, tmp_path, exported
):
    key, heads = samspil("ledger", "key", TOWN).out.strip(), tmp_path / "760.jsonl"
    kept = [json.loads(line)["size"] for line in heads.read_text().splitlines()]
    source = TOWN
    if exported:
        source = str(tmp_path / "ledger.jsonl")
        samspil("ledger", "export", TOWN, source)
        monkeypatch.delenv("SAMSPIL_KEY")
        monkeypatch.delenv("SAMSPIL_STORE")
    entry, later = tmp_path / "entry.json", tmp_path / "later.json"
    answer = samspil("ledger", "inclusion", source, "1", "1", "--size", str(kept[0]), "--out", str(entry))
    assert (0, "") == (answer.code, answer.out)
    assert f"samspil verify {entry} --public-key" in answer.err
    assert "is there already" in samspil("ledger", "inclusion", source, "1", "1", "--out", str(entry)).err
    answer = samspil("ledger", "consistency", source, str(kept[0]))
    assert 0 == answer.code
    later.write_text(answer.out)
    for name in ("SAMSPIL_KEY", "SAMSPIL_STORE"):
        monkeypatch.delenv(name, raising=False)
    answer = samspil("verify", str(entry), "--public-key", key, "--head", str(heads))
    assert (0, "") == (answer.code, answer.err)
    assert f"leaf 1 is in the ledger of 760 of {kept[0]} leaves" in answer.out
    assert '"purpose":' in answer.out
    assert "a head that was kept elsewhere" in answer.out
    answer = samspil("verify", str(later), "--public-key", key)
    assert 0 == answer.code
    assert f"begins with that of {kept[0]}" in answer.out
    assert "With --head" in answer.err
    assert "a file cannot vouch for itself" in samspil("verify", str(entry)).err
    entry.write_text(entry.read_text().replace('"leaf_index": 1', '"leaf_index": 2'))
    answer = samspil("verify", str(entry), "--public-key", key)
    assert (1, "") == (answer.code, answer.out)
    assert "does not lead to what was signed" in answer.err
