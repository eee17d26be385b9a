from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, text

from samspil.errors import SamspilError, SettingsError
from samspil.store import keys
from samspil.vault import Persons

ANNA, BENT, CARL = (bytes([n]) * 16 for n in (1, 2, 3))


@pytest.fixture
def persons(unlocked):
    return Persons(unlocked("730"))


def fetch(store, persons, *wanted, create=True):
    with store.transaction() as connection:
        return persons.fetch(connection, new=wanted) if create else persons.fetch(connection, wanted)


def sealed(persons, person):
    return persons.cipher(person).encrypt(bytes(12), b"noter", b"")


def test_a_person_has_one_key_whoever_asks(store, persons, unlocked):
    fetch(store, persons, ANNA, BENT, None)
    again = Persons(unlocked("730"))
    fetch(store, again, ANNA, create=False)
    assert sealed(persons, ANNA) == sealed(again, ANNA)
    assert sealed(persons, ANNA) != sealed(persons, BENT)
    assert persons.cipher(None) is None


def test_whoever_is_asked_for_together_each_gets_the_own_key_and_nobody_none(store, persons):
    fetch(store, persons, ANNA, BENT, CARL)
    one = {person: sealed(persons, person) for person in (ANNA, BENT, CARL)}
    for asked in ([ANNA, BENT], [BENT, ANNA], [CARL, None, ANNA, CARL], (None, None), [CARL], [], [ANNA, BENT, CARL]):
        for _ in range(2):
            got = persons.ciphers(asked)
            assert [cipher and cipher.encrypt(bytes(12), b"noter", b"") for cipher in got] == list(map(one.get, asked))


def test_what_a_thread_asked_for_last_is_not_made_anew_whatever_others_ask_for(store, persons):
    fetch(store, persons, ANNA, BENT)
    with ThreadPoolExecutor(1) as other:
        first = persons.ciphers([ANNA, None])
        others = other.submit(persons.ciphers, [BENT]).result()
        assert persons.ciphers([ANNA, None])[0] is first[0]
        assert other.submit(persons.ciphers, [BENT]).result()[0] is others[0]


def test_a_key_let_go_of_is_not_at_hand_to_those_who_used_it_last(store, persons):
    fetch(store, persons, ANNA)
    persons.ciphers([ANNA])
    persons.forget()
    with pytest.raises(SamspilError, match="not there"):
        persons.ciphers([ANNA])


def test_a_key_that_nobody_made_is_not_made_by_looking(store, persons):
    fetch(store, persons, ANNA, create=False)
    with pytest.raises(SamspilError) as caught:
        persons.cipher(ANNA)
    assert "no-key" == caught.value.reason


def test_a_batch_takes_one_query_to_look_up_and_few_to_make(store, persons):
    statements = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    many = [n.to_bytes(16, "big") for n in range(3000)]
    fetch(store, persons, *many)
    assert len([each for each in statements if not each.startswith("BEGIN")]) <= 3
    statements.clear()
    fetch(store, persons, *many)
    assert [] == [each for each in statements if not each.startswith("BEGIN")]


def test_processes_that_meet_the_same_new_person_at_once_use_one_key(store, unlocked):
    many = [n.to_bytes(16, "big") for n in range(500)]
    each = [Persons(unlocked("730")) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda persons: fetch(store, persons, *many), each))
    for person in many:
        assert 1 == len({sealed(persons, person) for persons in each})


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE persons SET wrapped = (SELECT wrapped FROM persons WHERE person = :b) WHERE person = :a",
        "UPDATE persons SET handle = :b WHERE person = :a",
        "UPDATE persons SET person = :c WHERE person = :a",
    ],
)
def test_a_key_moved_to_another_persons_row_does_not_open(store, persons, unlocked, harm):
    fetch(store, persons, ANNA, BENT)
    with store.transaction() as connection:
        statement = text(harm)
        names = {name: value for name, value in (("a", ANNA), ("b", BENT), ("c", CARL)) if f":{name}" in harm}
        connection.execute(statement.bindparams(**names))
    with pytest.raises(SamspilError, match="changed or moved"):
        fetch(store, Persons(unlocked("730")), ANNA, CARL, create=False)


def test_an_erased_person_gets_no_key_again(store, persons, unlocked):
    fetch(store, persons, ANNA, BENT)
    with store.transaction() as connection:
        connection.execute(text("UPDATE persons SET wrapped = NULL WHERE person = :a").bindparams(a=ANNA))
    again = Persons(unlocked("730"))
    assert frozenset([ANNA]) == fetch(store, again, ANNA, BENT)
    with pytest.raises(SamspilError, match="not there"):
        again.cipher(ANNA)


def test_among_many_new_persons_those_known_keep_their_key_and_those_erased_get_none(store, persons, unlocked):
    fetch(store, persons, ANNA, BENT)
    with store.transaction() as connection:
        connection.execute(text("UPDATE persons SET wrapped = NULL WHERE person = :a").bindparams(a=ANNA))
    again = Persons(unlocked("730"))
    fresh = [n.to_bytes(16, "big") for n in range(10)]
    assert frozenset() == fetch(store, again, *fresh)
    assert frozenset([ANNA]) == fetch(store, again, ANNA, BENT, CARL)
    assert sealed(persons, BENT) == sealed(again, BENT)
    fetch(store, persons, CARL, *fresh, create=False)
    assert [sealed(persons, each) for each in (CARL, *fresh)] == [sealed(again, each) for each in (CARL, *fresh)]
    with pytest.raises(SamspilError, match="not there"):
        again.cipher(ANNA)


def test_where_most_persons_are_new_a_batch_takes_one_statement_less(store, persons):
    statements = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for start in (0, 3000):
        statements.clear()
        fetch(store, persons, *(n.to_bytes(16, "big") for n in range(start, start + 3000)))
    assert len([each for each in statements if not each.startswith("BEGIN")]) <= 2


def test_no_key_is_made_under_a_master_key_that_was_retired(store, persons):
    with store.transaction() as connection:
        keys.retire(connection, "730", 2)
    with pytest.raises(SettingsError, match="was changed while this ran"):
        fetch(store, persons, ANNA)


def test_a_key_made_in_work_that_fails_is_no_key(store, persons):
    def made_in_vain():
        with persons.making(), store.transaction() as connection:
            persons.fetch(connection, new=[ANNA])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made_in_vain()
    with pytest.raises(SamspilError, match="not there"):
        persons.cipher(ANNA)
    fetch(store, persons, ANNA)
    before = sealed(persons, ANNA)
    persons.forget()
    fetch(store, persons, ANNA, create=False)
    assert before == sealed(persons, ANNA)


def test_memory_is_bounded_and_the_batches_before_stay_at_hand(store, persons, monkeypatch):
    monkeypatch.setattr("samspil.vault.persons._KEPT", 2)
    for start in range(0, 30, 3):
        batch = [n.to_bytes(16, "big") for n in range(start, start + 3)]
        fetch(store, persons, *batch)
        for n in range(max(0, start - 6), start + 3):
            assert persons.cipher(n.to_bytes(16, "big"))
    with pytest.raises(SamspilError, match="not there"):
        persons.cipher((0).to_bytes(16, "big"))
