"""What is suppressed cannot be worked out from what is shown, by somebody who solves the sums exactly."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samspil.errors import SamspilError
from samspil.report.audit import Audit
from samspil.report.suppression import naive, small, suppress
from samspil.report.table import TOTAL, Counts
from tests.samspil.report.conftest import Attacker, publish, random_table, rules

TINY = [(4,), (2, 3), (3, 3), (2, 2, 2), (2, 2, 3), (2, 2, 2, 2)]
LARGER = [(5, 12), (4, 4, 3), (3, 3, 3, 2)]


def tables(sizes, seeds, means=(3, 8)):
    return [(size, seed, mean) for size in sizes for seed in range(seeds) for mean in means]


@pytest.mark.parametrize(("sizes", "seed", "mean"), tables(TINY, 6))
@pytest.mark.parametrize("zeros", ["shown", "hidden"])
def test_the_exact_solver_finds_no_range_narrower_than_agreed(sizes, seed, mean, zeros):
    counts, agreed = random_table(seed, sizes, mean), rules(zeros=zeros)
    if counts.cells[(TOTAL,) * len(sizes)] < agreed.smallest:
        with pytest.raises(SamspilError, match="too few persons"):
            suppress(counts, agreed)
        return
    hidden = suppress(counts, agreed).cells
    Audit(counts, hidden).prove(agreed.width)
    attacker = Attacker(sizes, publish(counts, hidden))
    for n, _ in enumerate(attacker.hidden):
        low, high = attacker.exact(n)
        assert high - low >= agreed.width


@pytest.mark.parametrize(("sizes", "seed", "mean"), tables(LARGER, 5, (3, 8, 30)))
def test_larger_tables_give_nothing_away_to_elimination_and_bounds(sizes, seed, mean):
    counts, agreed = random_table(seed, sizes, mean), rules()
    hidden = suppress(counts, agreed).cells
    assert small(counts, agreed) <= hidden
    Audit(counts, hidden).prove(agreed.width)
    attacker = Attacker(sizes, publish(counts, hidden))
    assert attacker.solved() == set()
    low, high = attacker.bounds()
    assert all(b - a >= agreed.width for a, b in zip(low, high, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3).flatmap(
        lambda sizes: st.tuples(st.just(sizes), st.integers(0, 10**6), st.sampled_from([1, 2, 5, 12]))
    ),
    st.integers(1, 6),
)
def test_whatever_is_published_is_proved(table, width):
    sizes, seed, mean = table
    counts, agreed = random_table(seed, sizes, mean), rules(width=width)
    if counts.cells[(TOTAL,) * len(sizes)] < agreed.smallest:
        with pytest.raises(SamspilError, match="too few persons"):
            suppress(counts, agreed)
        return
    hidden = suppress(counts, agreed).cells
    Audit(counts, hidden).prove(width)
    assert Attacker(sizes, publish(counts, hidden)).solved() == set()


@pytest.mark.parametrize(("sizes", "seed", "mean"), tables([(3, 3), (3, 4), (2, 3, 3)], 4, (8,)))
def test_small_cells_alone_are_worked_out_and_the_audit_says_so(sizes, seed, mean, attack):
    """The attacker has teeth: suppressing only what is small is undone, and then the audit refuses the table."""
    counts, agreed = random_table(seed, sizes, mean), rules()
    only = small(counts, agreed)
    low, high = attack(counts, only).bounds()
    known = {cell for cell, a, b in zip(attack(counts, only).hidden, low, high, strict=True) if a == b}
    if not only:
        Audit(counts, only).prove(agreed.width)
    elif known:
        with pytest.raises(SamspilError, match="could be worked out"):
            Audit(counts, only).prove(agreed.width)


def test_one_small_cell_in_a_row_and_column_is_worked_out_unless_three_others_go_too(attack):
    counts = Counts((3, 3), {(a, b): 20 for a in range(3) for b in range(3)} | {(1, 1): 2})
    alone = attack(counts, {(1, 1)})
    assert alone.solved() == {(1, 1)}
    assert alone.bounds() == ([2], [2])
    with pytest.raises(SamspilError, match="1 suppressed cells"):
        Audit(counts, {(1, 1)}).prove(4)
    found = suppress(counts, rules())
    assert (len(found.small), len(found.more)) == (1, 3)
    assert found.cells < naive(counts, rules()) | {(a, b) for a in range(3) for b in range(3)}


@pytest.mark.parametrize("hidden", [{(0, 0), (0, 1)}, {(0, TOTAL), (0, 0)}, {(TOTAL, TOTAL)}, {(0, 0), (1, 1)}])
def test_the_audit_refuses_what_the_totals_give_away(hidden):
    counts = Counts((3, 3), {(a, b): 10 for a in range(3) for b in range(3)})
    with pytest.raises(SamspilError, match="could be worked out") as caught:
        Audit(counts, hidden).prove(1)
    assert caught.value.reason == "not-safe"


def test_a_range_that_nought_makes_narrow_is_seen():
    """Two cells of 1 and two of 0 can only change places: 0 to 1, which is no range to speak of."""
    counts = Counts((3, 3), {(0, 0): 1, (1, 1): 1, (0, 2): 30, (1, 2): 30, (2, 0): 30, (2, 1): 30, (2, 2): 30})
    corners = {(0, 0), (0, 1), (1, 0), (1, 1)}
    Audit(counts, corners).prove(1)
    with pytest.raises(SamspilError, match="4 suppressed cells"):
        Audit(counts, corners).prove(2)


def test_many_records_of_few_persons_are_small():
    inner = {(0,): 40, (1,): 40, (2,): 40}
    counts = Counts((3,), inner, {(0,): 2, (1,): 30, (2,): 30, (TOTAL,): 60})
    assert small(counts, rules()) == {(0,)}
    assert len(suppress(counts, rules()).cells) == 2


def test_zeros_are_small_only_where_the_agreement_hides_them():
    counts = Counts((3,), {(0,): 0, (1,): 40, (2,): 40})
    assert suppress(counts, rules()).cells == frozenset()
    assert (0,) in suppress(counts, rules(zeros="hidden")).cells


@pytest.mark.parametrize("inner", [{}, {(0, 0): 4}])
def test_a_table_of_too_few_persons_is_none(inner):
    with pytest.raises(SamspilError, match="too few persons"):
        suppress(Counts((2, 2), inner), rules())


def test_a_table_nobody_could_read_is_refused():
    with pytest.raises(SamspilError, match="too many cells"):
        Counts((100, 100, 100), {})


def test_less_is_suppressed_than_by_whole_rows():
    ours, rows = 0, 0
    for sizes, seed, mean in tables([(6, 12), (4, 4, 4)], 6, (8, 30)):
        counts = random_table(seed, sizes, mean)
        ours += len(suppress(counts, rules()).cells)
        rows += len(naive(counts, rules()))
    assert 0 < ours < rows * 2 / 3


def test_the_attacker_bounds_nothing_that_is_not_summed():
    attacker = Attacker((2,), {(0,): None, (1,): None, (TOTAL,): None})
    assert attacker.bounds() == ([0, 0, 0], [inf, inf, inf])
