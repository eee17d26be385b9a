"""Merging fetches more persons while what was merged before is still being written: their keys must stay at hand."""

from samspil.flow.merger import Merger


def test_meetings_merged_while_those_before_are_written_slowly_arrive(sides, slow_writing):
    slow_writing(Merger, "write")
    for n in range(12):
        sides.centre.book(f"c{n}")
    out, back = sides.both()
    assert (out.receipts, back.unchanged, len(sides.office.held)) == (12, 12, 12)
