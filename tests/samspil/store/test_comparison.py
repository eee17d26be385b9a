from samspil.store import outbox
from samspil.store.comparison import Comparison
from samspil.store.tables import DELIVERED, FILTERED

FLOW = 7


def digest(n):
    return n.to_bytes(16, "big")


def link(store, *rows):
    with store.transaction() as connection:
        outbox.upsert_links(connection, [(FLOW, *row, None) for row in rows])


def test_new_changed_and_filtered_are_told_from_unchanged(store):
    link(
        store,
        (digest(1), digest(11), DELIVERED, 101, b"x"),
        (digest(2), digest(12), DELIVERED, 102, b"x"),
        (digest(3), digest(13), FILTERED, None, None),
    )
    with Comparison(store, FLOW) as comparison:
        compared = comparison.compare(
            [digest(n) for n in (1, 2, 3, 4)], [digest(11), digest(99), digest(13), digest(14)]
        )
    assert (compared.unchanged, compared.filtered) == (1, 1)
    assert [tuple(row) for row in compared.differing] == [(1, DELIVERED, 102), (3, None, None)]


def test_another_flows_links_are_not_compared_with(store):
    link(store, (digest(1), digest(11), DELIVERED, 101, b"x"))
    with Comparison(store, FLOW + 1) as comparison:
        assert comparison.compare([digest(1)], [digest(11)]).unchanged == 0


def test_gone_is_what_was_delivered_and_not_seen_over_all_pages(store):
    link(store, *((digest(n), digest(n), DELIVERED, n, b"x") for n in range(12_000)))
    link(store, (digest(50_000), digest(1), FILTERED, None, None))
    with Comparison(store, FLOW) as comparison:
        for start in range(0, 12_000, 4_000):
            keys = [digest(n) for n in range(start, start + 4_000) if n % 3]
            comparison.compare(keys, keys)
        comparison.index_seen()
        gone = [row for rows in comparison.gone() for row in rows]
    assert [row.outbox_id for row in gone] == list(range(0, 12_000, 3))


def test_filtered_links_whose_record_is_gone_are_forgotten(store):
    link(store, (digest(1), digest(1), FILTERED, None, None), (digest(2), digest(2), FILTERED, None, None))
    with Comparison(store, FLOW) as comparison:
        comparison.compare([digest(1)], [digest(1)])
        comparison.index_seen()
        comparison.forget_filtered()
        compared = comparison.compare([digest(1), digest(2)], [digest(1), digest(2)])
    assert (compared.filtered, len(compared.differing)) == (1, 1)


def test_a_key_read_twice_is_found_across_pages(store):
    with Comparison(store, FLOW) as comparison:
        comparison.compare([digest(1), digest(2)], [digest(1), digest(2)])
        comparison.compare([digest(2), digest(3)], [digest(2), digest(3)])
        assert comparison.duplicates() == [digest(2)]


def test_that_nothing_is_gone_is_known_without_looking(store):
    link(store, (digest(1), digest(1), DELIVERED, 1, b"x"), (digest(2), digest(2), FILTERED, None, None))
    with Comparison(store, FLOW) as comparison:
        comparison.compare([digest(1), digest(2), digest(3)], [digest(1), digest(9), digest(3)])
        comparison.duplicates()
        assert comparison.saw_all()


def test_a_key_read_twice_does_not_stand_for_one_that_is_gone(store):
    link(store, (digest(1), digest(1), DELIVERED, 1, b"x"), (digest(2), digest(2), DELIVERED, 2, b"x"))
    with Comparison(store, FLOW) as comparison:
        comparison.compare([digest(1), digest(1)], [digest(1), digest(1)])
        comparison.duplicates()
        assert not comparison.saw_all()
