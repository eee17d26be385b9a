"""The three-way merge, by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.flow.merging import CHANGED_TWICE, DELETED, NOT_THE_OWNER, Clash, Decision, Merged, Rules, merge

NONE = frozenset()
RULES = Rules({"place": 0, "minutes": 1, "kind": 0}, (frozenset({"place", "kind"}), frozenset({"minutes", "place"})))
BASE = {"place": "hall", "minutes": None, "kind": "start"}


def merged(first, second, decisions=()):
    """From the baseline, with these edits at each side; None deletes."""
    now = tuple(None if edits is None else {**BASE, **edits} for edits in (first, second))
    return merge(now, BASE, RULES, dict(decisions))


def test_nothing_changed_is_nothing_to_do():
    assert merged({}, {}) == Merged(base=BASE)


def test_what_its_owner_changed_goes_over():
    result = merged({"place": "room"}, {"minutes": "agreed"})
    assert result.to == ({"minutes"}, {"place"})
    assert result.clashes == ()
    assert result.base == BASE  # moved only when it was delivered


def test_the_same_at_both_sides_is_agreed():
    result = merged({"place": "room"}, {"place": "room"})
    assert (result.to, result.clashes, result.base) == ((NONE, NONE), (), {**BASE, "place": "room"})


def test_an_edit_by_another_than_the_owner_is_a_conflict_and_the_rest_moves_on():
    result = merged({"kind": "status"}, {"place": "cellar", "minutes": "agreed"})
    assert result.clashes == (Clash("place", NOT_THE_OWNER, ("hall", "cellar")),)
    assert result.to == ({"minutes"}, {"kind"})


def test_a_field_changed_at_both_sides_is_a_conflict():
    result = merged({"place": "room"}, {"place": "cellar"})
    assert result.clashes == (Clash("place", CHANGED_TWICE, ("room", "cellar")),)
    assert result.to == (NONE, NONE)


@pytest.mark.parametrize(
    ("take", "to"), [(0, (NONE, {"place"})), (1, ({"place"}, NONE)), (None, (NONE, NONE))], ids=str
)
def test_a_decision_counts_as_long_as_the_values_are_those_decided_on(take, to):
    decisions = {"place": Decision(("room", "cellar"), take)}
    result = merged({"place": "room"}, {"place": "cellar"}, decisions)
    assert (result.to, result.clashes) == (to, ())
    later = merged({"place": "room"}, {"place": "attic"}, decisions)
    assert [clash.reason for clash in later.clashes] == [CHANGED_TWICE]


def test_what_an_agreement_does_not_let_a_side_send_stays_whatever_was_decided():
    decisions = {"kind": Decision(("start", "status"), 1)}
    assert merged({}, {"kind": "status"}, decisions).to == (NONE, NONE)


def test_a_record_at_one_side_is_new_without_a_baseline_and_else_deleted():
    assert merge((BASE, None), None, RULES, {}) == Merged(create=1)
    assert merged({}, None) == Merged(delete=0, base=BASE)
    assert merged(None, None) == Merged(base=BASE)


def test_deleted_here_and_changed_there_is_a_conflict():
    result = merged(None, {"minutes": "agreed"})
    state = {**BASE, "minutes": "agreed"}
    assert result == Merged(base=BASE, clashes=(Clash("", DELETED, (None, state)),))
    for take, expected in ((0, Merged(delete=1, base=BASE)), (1, Merged(create=0)), (None, Merged(base=BASE))):
        assert merged(None, {"minutes": "agreed"}, {"": Decision((None, state), take)}) == expected


words = st.sampled_from([None, "a", "b", "c"])
states = st.none() | st.fixed_dictionaries({"place": words, "minutes": words, "kind": words})


def turned(result):
    """As seen from the other side."""
    swap = {None: None, 0: 1, 1: 0}
    clashes = tuple(clash._replace(values=clash.values[::-1]) for clash in result.clashes)
    return Merged(result.to[::-1], swap[result.create], swap[result.delete], result.base, clashes)


@given(states, states, states)
def test_both_sides_are_treated_alike(first, second, base):
    other = Rules({field: 1 - owner for field, owner in RULES.owners.items()}, RULES.carried[::-1])
    assert turned(merge((first, second), base, RULES, {})) == merge((second, first), base, other, {})


@given(states, states, states)
def test_once_carried_out_a_merge_finds_only_what_a_person_must_settle(first, second, base):
    result = merge((first, second), base, RULES, {})
    now = [first, second]
    for side in (0, 1):
        if result.create == side:
            now[side] = dict(now[1 - side])
        elif result.delete == side:
            now[side] = None
        elif now[side] is not None and now[1 - side] is not None:
            now[side] = {**now[side], **{field: now[1 - side][field] for field in result.to[side]}}
    again = merge(tuple(now), result.base, RULES, {})
    assert (again.to, again.create, again.delete) == ((NONE, NONE), None, None)
    assert again.clashes == result.clashes
