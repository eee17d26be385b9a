import msgspec
import pytest
from sqlalchemy import text

from samspil.errors import SamspilError
from samspil.ledger import Entry, batches, verify
from samspil.ledger.entry import record_of
from samspil.ledger.verification import check
from samspil.vault import Vault

ANNA, BENT = bytes([1]) * 16, bytes([2]) * 16


def stored(written):
    with written.store.transaction() as connection:
        return list(batches(connection, "730"))


def verified(written, *heads):
    with written.store.transaction() as connection:
        return verify(connection, "730", written.key, heads)


def head(written):
    with written.store.transaction() as connection:
        return written.ledger.head(connection)


def change(written, statement, **values):
    with written.store.transaction() as connection:
        assert connection.execute(text(statement).bindparams(**values)).rowcount


def test_an_untouched_ledger_verifies(written):
    assert 12 == verified(written)
    assert 12 == verified(written, head(written))


def test_entries_say_in_the_clear_no_more_than_outbox_row_action_and_outcome(written):
    assert [Entry(n, 1, 1) for n in range(4)] == list(stored(written)[0].unpack())


def test_the_record_is_found_by_the_persons_key_only(written):
    anna, bent = written.persons.cipher(ANNA), written.persons.cipher(BENT)
    packed = stored(written)[2].packed()
    place = written.ledger.place
    assert [bytes([2, 0]) * 8, None, bytes([2, 2]) * 8, None] == [record_of(place, anna, each) for each in packed]
    assert [None, bytes([2, 1]) * 8, None, None] == [record_of(place, bent, each) for each in packed]


def test_entries_of_one_person_have_nothing_in_common_but_what_is_clear(written):
    first, _, third, _ = stored(written)[0].packed()
    assert not {first[at : at + 4] for at in range(10, 50)} & {third[at : at + 4] for at in range(10, 50)}


def test_a_personal_part_moved_to_another_entry_does_not_open(written):
    first, _, third, _ = stored(written)[0].packed()
    assert record_of(written.ledger.place, written.persons.cipher(ANNA), third[:10] + first[10:]) is None


def test_without_the_persons_keys_the_ledger_verifies_as_before(written):
    change(written, "UPDATE persons SET wrapped = NULL, handle = NULL")
    assert 12 == verified(written)


def test_a_batch_stands_or_falls_with_the_callers_transaction(written):
    def fail_after_appending():
        with written.store.transaction() as connection:
            written.ledger.append(connection, {}, [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_appending()
    assert 12 == verified(written)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE ledger SET entries = :other WHERE seq = 2", "entry 1, 2, 3, 4 of batch 2 was changed"),
        ("UPDATE ledger SET context = :other WHERE seq = 2", r"what batch 2 says of its entries \(purpose"),
        ("UPDATE ledger SET root = :other WHERE seq = 2", "batch 2: it is not what was signed"),
        ("UPDATE ledger SET size = 11 WHERE seq = 2 OR :other IS NULL", "batch 2: it is not what was signed"),
        ("UPDATE ledger SET frontier = :other WHERE seq = 2", "batch 2: it is not what was signed"),
        ("UPDATE ledger SET signature = :other WHERE seq = 2", "batch 2 is not signed with this key"),
        ("UPDATE ledger SET at = at + 1 WHERE seq = 2 OR :other IS NULL", "batch 2 is not signed with this key"),
        ("DELETE FROM ledger WHERE seq = 2 OR :other IS NULL", "batch 2 was removed, 5 leaves"),
        ("DELETE FROM ledger WHERE seq < 3 OR :other IS NULL", "batches 1 to 2 were removed, 10 leaves"),
        ("UPDATE ledger SET seq = seq + 10 WHERE seq = 3 OR :other IS NULL", "batches 3 to 12 were removed"),
    ],
)
def test_a_changed_removed_or_moved_batch_is_found_and_named(written, harm, said):
    change(written, harm, other=bytes(54 * 4))
    with pytest.raises(SamspilError, match=said) as caught:
        verified(written)
    assert "ledger-broken" == caught.value.reason


def tampered(batch, change):
    packed = batch.packed()
    change(packed)
    return msgspec.structs.replace(batch, entries=b"".join(packed))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entries: entries.reverse(), "entries 1, 2, 3, 4 of batch 2 changed places"),
        (lambda entries: entries.insert(0, entries.pop(1)), "entries 1, 2 of batch 2 changed places"),
        (lambda entries: entries.pop(1), "1 entries were removed from batch 2 at entry 2"),
        (lambda entries: entries.pop(), "1 entries were removed from batch 2 at entry 4"),
        (lambda entries: entries.insert(2, bytes(54)), "1 entries were added to batch 2 at entry 3"),
        (lambda entries: entries.append(entries[0]), "1 entries were added to batch 2 at entry 5"),
        (lambda entries: entries.__setitem__(2, bytes(54)), "entry 3 of batch 2 was changed"),
    ],
)
def test_the_very_entry_is_named(written, change, said):
    first, second, third = stored(written)
    with pytest.raises(SamspilError, match=said):
        check([first, tampered(second, change), third], "730", written.key)


def test_entries_that_went_to_another_batch_are_found(written):
    first, second, third = stored(written)
    swapped = [
        msgspec.structs.replace(first, entries=second.entries),
        msgspec.structs.replace(second, entries=first.entries),
        third,
    ]
    with pytest.raises(SamspilError, match="entry 1, 2, 3, 4 of batch 1 was changed"):
        check(swapped, "730", written.key)


def test_an_entry_put_under_another_purpose_is_another_leaf(written):
    first, second, _ = stored(written)
    assert first.leaves()[1:] != msgspec.structs.replace(first, context=second.context).leaves()[1:]


def test_a_cut_off_end_is_found_against_a_head_that_was_kept(written):
    kept = head(written)
    change(written, "DELETE FROM ledger WHERE seq = 3")
    assert 8 == verified(written)
    with pytest.raises(SamspilError, match="its end was cut off: it has 10 leaves, and a head that was kept has 15"):
        verified(written, kept)


def test_a_ledger_written_anew_with_the_stolen_key_is_found_against_a_head_that_was_kept(written):
    kept = [head(written)]
    change(written, "DELETE FROM ledger WHERE seq = 3")
    written.append(7)
    kept.append(head(written))
    assert 12 == verified(written, kept[1])
    with pytest.raises(SamspilError, match="batch 3: the head of 15 leaves saw another"):
        verified(written, *kept)


def test_every_earlier_head_fits(written):
    heads = [batch.head("730") for batch in stored(written)]
    written.append(4)
    assert 16 == verified(written, *heads)


def test_a_head_that_proves_nothing_is_refused(written):
    other = Vault(bytes(32), "751")
    other.unlock(written.store)
    for bad in (head(written).signed(other.signer()), msgspec.structs.replace(head(written), size=99)):
        with pytest.raises(SamspilError, match="is not signed with this key"):
            verified(written, bad)


def test_another_key_does_not_verify(written):
    other = Vault(bytes(32), "751")
    other.unlock(written.store)
    with written.store.transaction() as connection, pytest.raises(SamspilError, match="batch 1 is not signed"):
        verify(connection, "730", other.signer().public_key())
