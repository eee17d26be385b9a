"""Single proofs as files: each entry and each pair of heads is proved, and anything changed in a proof is told."""

import base64
import json
from itertools import combinations_with_replacement

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from samspil.errors import SamspilError
from samspil.ledger import Entry, Head, batches
from samspil.ledger.proof import Consistency, Inclusion, check, load


class Source:
    """The batches of a ledger, any number of times."""

    def __init__(self, written):
        with written.store.transaction() as connection:
            self.batches = list(batches(connection, "730"))
        self.heads = [batch.head("730") for batch in self.batches]

    def __call__(self):
        return iter(self.batches)


@pytest.fixture
def source(written):
    return Source(written)


def saved(proof, tmp_path, **changed):
    """The proof as it was read back from its file, with some of its fields changed."""
    file = tmp_path / "proof.json"
    file.write_text(json.dumps({**json.loads(msgspec.json.encode(proof)), **changed}))
    return load(file)


def test_each_entry_is_proved_for_each_head_that_has_it(written, source, tmp_path):
    for head in source.heads:
        for batch in range(1, head.size // 5 + 1):
            for number in range(5):
                proof = saved(Inclusion.made(source, "730", batch, number, head.size), tmp_path)
                check(proof, written.key)
                check(proof, written.key, source.heads)
                said = Entry((batch - 1) * 10 + number - 1, 1, 1) if number else None
                assert (head, (batch - 1) * 5 + number, said) == (proof.head, proof.leaf_index, proof.said)
                assert {"what": "write", "batch": batch - 1}.items() <= json.loads(proof.context).items()


def test_each_two_heads_are_proved_consistent(written, source, tmp_path):
    for first, second in combinations_with_replacement(source.heads, 2):
        proof = saved(Consistency.made(source, "730", first.size, second.size), tmp_path)
        check(proof, written.key)
        assert [first, second] == list(proof.heads)


def test_without_a_size_it_is_of_the_newest_head(source):
    assert source.heads[-1] == Inclusion.made(source, "730", 1, 1, None).head
    assert source.heads[-1] == Consistency.made(source, "730", 5, None).second


def test_the_names_are_those_of_the_rfc(source, tmp_path):
    made = json.loads(msgspec.json.encode(Inclusion.made(source, "730", 2, 3, None)))
    assert {"format", "head", "leaf_index", "context", "inclusion_path", "entry"} == set(made)
    made = json.loads(msgspec.json.encode(Consistency.made(source, "730", 5, 10)))
    assert {"format", "first", "second", "consistency_path"} == set(made)


@pytest.mark.parametrize(
    "changed",
    [
        {"leaf_index": 7},
        {"context": base64.b64encode(b'{"what": "write", "purpose": "another"}').decode()},
        {"entry": base64.b64encode(bytes(54)).decode()},
        {"entry": base64.b64encode(bytes(53)).decode()},
        {"entry": ""},
        {"inclusion_path": []},
        {"inclusion_path": [base64.b64encode(bytes(32)).decode()] * 4},
    ],
)
def test_an_inclusion_proof_that_was_changed_does_not_hold(written, source, tmp_path, changed):
    proof = Inclusion.made(source, "730", 2, 3, None)
    check(saved(proof, tmp_path), written.key)
    with pytest.raises(SamspilError) as caught:
        check(saved(proof, tmp_path, **changed), written.key)
    assert "proof-broken" == caught.value.reason


@pytest.mark.parametrize("changed", [{"consistency_path": []}, {"first": 2}, {"second": 1}])
def test_a_consistency_proof_that_was_changed_does_not_hold(written, source, tmp_path, changed):
    heads = [json.loads(msgspec.json.encode(head)) for head in source.heads]
    changed = {name: heads[at] if isinstance(at, int) else at for name, at in changed.items()}
    with pytest.raises(SamspilError) as caught:
        check(saved(Consistency.made(source, "730", 5, 15), tmp_path, **changed), written.key)
    assert "proof-broken" == caught.value.reason


def test_a_head_that_another_signed_proves_nothing(source, tmp_path):
    with pytest.raises(SamspilError) as caught:
        check(Inclusion.made(source, "730", 2, 3, None), Ed25519PrivateKey.generate().public_key())
    assert "head" == caught.value.reason


def test_a_ledger_written_anew_shows_against_the_head_that_was_kept(written, source):
    """Whoever has the signing key can prove anything of another ledger, but not of the one that a kept head saw."""
    signer = written.vault.signer()
    kept = Head("730", 15, 1, bytes(32)).signed(signer)
    proof = Inclusion.made(source, "730", 2, 3, None)
    check(proof, written.key, source.heads[-1:])
    with pytest.raises(SamspilError, match="15 leaves kept elsewhere saw another ledger"):
        check(proof, written.key, [kept])


def test_a_proof_about_no_head_that_was_kept_says_what_to_ask_for(written, source):
    with pytest.raises(SamspilError, match="none of the heads kept elsewhere is of 10 leaves: ask for the proof"):
        check(Inclusion.made(source, "730", 1, 1, 10), written.key, source.heads[-1:])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda source: Inclusion.made(source, "730", 4, 1, None), "no entry 1 in batch 4: there is no such batch"),
        (lambda source: Inclusion.made(source, "730", 2, 5, None), "it has the entries 1 to 4"),
        (lambda source: Inclusion.made(source, "730", 2, 1, 7), "7 leaves: there is no head of that size"),
        (lambda source: Inclusion.made(source, "730", 2, 1, 5), "no head later than entry 1 of batch 2"),
        (lambda source: Consistency.made(source, "730", 7, None), "7 leaves: there is no head of that size"),
        (lambda source: Consistency.made(source, "730", 5, 7), "7 leaves: there is no head of that size"),
        (lambda source: Consistency.made(source, "730", 10, 5), "there is no head after it"),
    ],
)
def test_what_cannot_be_proved_is_told(source, made, said):
    with pytest.raises(SamspilError, match=said):
        made(source)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "samspil-ledger-1", "municipality": "730"}\n{}'])
def test_another_file_is_no_proof(tmp_path, text):
    (tmp_path / "other").write_text(text)
    assert load(tmp_path / "other") is None
