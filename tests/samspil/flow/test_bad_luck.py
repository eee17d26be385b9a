"""Bad luck at the worst moment: what happens between a plan and its delivery, between two pages, between two nights."""

from __future__ import annotations

import pytest

from samspil.connector import Page, Receipt
from samspil.errors import Refused, Unavailable
from samspil.rights.erasure import erase
from samspil.rights.finding import find

ONE, TWO = "6201900001", "6301900002"  # the numbers of the pair's persons 1 and 2
FLOW = "centre-action_plan-office"


@pytest.fixture
def feed(lite):
    """A pair whose source gives only what changed, page by page as a test says."""
    lite.centre.mode = "incremental"
    lite.pages = []

    lite.since = []

    def read(schema, since=None):
        lite.since.append(since)
        yield from lite.pages
        yield Page([], [], cursor="next")

    lite.centre.read = read
    return lite


def pages(pair, *told: str):
    """Pages: ``"a1 x"`` is a record, ``"-a1"`` one that is gone; a comma is between what one page says."""
    pair.pages = []
    for page in told:
        said = [one.strip() for one in page.split(",")]
        pair.has(*[one for one in said if not one.startswith("-")])
        (records,) = [page for page in type(pair.centre).read(pair.centre, "action_plan") if page.raws] or [
            Page([], [])
        ]
        pair.pages.append(records._replace(gone=[one[1:].encode() for one in said if one.startswith("-")]))


def fed(pair, *told: str):
    pages(pair, *told)
    pair.nights += 1
    return whole(pair, f"night {pair.nights}")


@pytest.mark.parametrize("told", [("-a1", "a1 x"), ("a1 x", "-a1"), ("a1 x, -a1",), ("a1 y, -a1",)])
def test_a_record_both_read_and_gone_is_not_lost_and_a_whole_read_tells(feed, told):
    fed(feed, "a1 x", "b2 x")
    counts = fed(feed, *told)
    assert (feed.office.words.keys(), counts.deleted) == ({"a1", "b2"}, 0)
    fed(feed, "b2 x")
    assert feed.since == [None, "next", None]
    assert feed.office.words == {"b2": "x"}
    fed(feed, "b2 y")
    assert feed.since[-1] == "next"


def test_what_is_gone_and_not_read_is_deleted(feed):
    fed(feed, "a1 x", "b2 x")
    assert fed(feed, "-a1", "b2 y").deleted == 1
    assert (feed.office.words, feed.since) == ({"b2": "y"}, [None, "next"])
    fed(feed, "b2 z")
    assert feed.since[-1] == "next"


def test_a_record_that_moved_to_another_person_is_hers_also_where_no_number_is_sent(pair):
    fields = pair.office.fields
    pair.office.fields = lambda schema: {name: one._replace(required=False) for name, one in fields(schema).items()}
    pair.agree(**{"[id, cpr, ": "[id, "})
    pair.night("a1 x", "b1 y")
    pair.centre.rows = [("a1", 2, "x", "mine"), ("b1", 1, "y", "mine")]
    whole(pair, "moved")
    with pair.hub() as hub:
        there = [find(hub, number).at_targets for number in (ONE, TWO)]
        erase(hub, ONE, who="a test", why="a case")
    assert there == [{FLOW: 1}, {FLOW: 1}]
    pair.centre.rows = [("a1", 2, "z", "mine")]
    assert whole(pair, "after").updates == 1
    assert pair.office.words == {"a1": "z", "b1": "y"}


@pytest.mark.parametrize("text", ["\0x", "a\tb\n\\.", "\ud800"])
def test_no_text_of_a_receipt_stops_the_flow_after_the_target_has_the_records(pair, text):
    one = pair.office._one
    pair.office._one = lambda change: (
        Receipt(refused=Refused(text, field=text, hint=text)) if "b1" in str(change.record) else told(one(change), text)
    )
    counts = pair.night("a2 x", "b1 y", "c3 z")
    assert (counts.delivered, counts.held_back) == (2, 1)
    pair.office._one = one
    assert pair.night("a2 x", "b1 y", "c3 z").receipts == 0
    assert pair.replay().counts.delivered == 1


def test_a_record_that_was_taken_without_a_name_is_not_made_a_second_time(pair):
    one = pair.office._one
    pair.office._one = lambda change: one(change)._replace(their_id=None) if b'"a1"' in change.raw else one(change)
    with pytest.raises(Unavailable) as caught:
        pair.night("a1 x", "b1 y", "c2 z", "d3 z")
    assert caught.value.reason == "receipt-without-id"
    assert pair.office.words == {"a1": "x", "c2": "z", "d3": "z"}
    with pytest.raises(Unavailable):
        pair.night("a1 y", "b1 y", "c2 z", "d3 z")
    pair.office._one = one
    pair.night("a1 y", "b1 y", "c2 z", "d3 z")
    assert pair.office.words == {"a1": "y", "b1": "y", "c2": "z", "d3": "z"}
    assert [key for _, key, _ in pair.office.log] == ["a1", "c2", "d3", "b1", "a1"]


def told(receipt, text):
    """The receipt with a number of the target's."""
    return receipt._replace(reference=text)


def whole(pair, key):
    """A night with the rows as they are."""
    run = pair.step("plan", FLOW, key)
    for step in ("guard", "deliver", "reconcile"):
        counts = pair.step(step, run)
    return counts
