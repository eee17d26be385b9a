"""The exported file: checked without a store or a master key, proofs from it, and what is no such file."""

import io

import msgspec
import pytest

from samspil.errors import SamspilError, SettingsError
from samspil.ledger import batches
from samspil.ledger.export import Exported, write
from samspil.ledger.head import load, public_key
from samspil.ledger.head import written as in_base64
from samspil.ledger.proof import consistency, inclusion
from samspil.ledger.tree import consistent, includes
from samspil.ledger.verification import check


@pytest.fixture
def file(written, tmp_path):
    out = io.BytesIO()
    with written.store.transaction() as connection:
        assert 3 == write(out, "730", batches(connection, "730"))
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(out.getvalue())
    return path


def test_the_file_verifies_by_itself(written, file):
    exported = Exported(file)
    assert ("730", 12) == (exported.municipality, check(exported.batches(), "730", written.key).entries)


def test_the_key_goes_as_text_or_file(written, file, tmp_path):
    text = in_base64(written.key)
    (tmp_path / "key").write_text(f"{text}\n")
    for given in (text, str(tmp_path / "key")):
        assert 12 == check(Exported(file).batches(), "730", public_key(given)).entries
    with pytest.raises(SettingsError, match="samspil ledger key"):
        public_key("bm8=")


def test_each_entry_and_each_earlier_state_is_proved(written, file):
    found = list(Exported(file).batches())
    leaves = [leaf for batch in found for leaf in batch.leaves()]
    for index, leaf in enumerate(leaves):
        assert includes(found[-1].root, 15, index, leaf, inclusion(found, index, 15))
    for batch in found:
        proof = consistency(Exported(file).batches(), batch.size, 15)
        assert consistent(batch.size, batch.root, 15, found[-1].root, proof)


def test_a_changed_line_is_found(written, file):
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], lines[1], lines[3]]))
    with pytest.raises(SamspilError, match="batch 2 was removed"):
        check(Exported(file).batches(), "730", written.key)
    file.write_bytes(b"".join([*lines[:2], b"{}\n"]))
    with pytest.raises(SamspilError, match=":3: is not a batch"):
        check(Exported(file).batches(), "730", written.key)


def test_a_frontier_that_was_blown_up_is_found(written, file):
    first, *others = Exported(file).batches()
    with pytest.raises(SamspilError, match="batch 1: it is not what was signed"):
        check([msgspec.structs.replace(first, frontier=bytes(32)), *others], "730", written.key)


@pytest.mark.parametrize("text", ["", "not json\n", '{"format": "other", "municipality": "730"}\n'])
def test_another_file_is_told(tmp_path, text):
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(SettingsError, match="is not an exported ledger"):
        Exported(path)
    with pytest.raises(SettingsError, match="has no tree head"):
        load(path)
