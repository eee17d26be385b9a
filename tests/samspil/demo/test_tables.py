"""What the demo's table of a night shows."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from samspil.demo.figures import FlowNight
from samspil.demo.tables import print_nights
from samspil.flow.reconciliation import Counts

NOTHING = dict.fromkeys(Counts.__struct_fields__, 0)


def printed(**counts):
    made = Counts(**{**NOTHING, "complete": True, "reasons": {}, **counts})
    console = Console(file=io.StringIO(), width=120)
    print_nights(console, {1: {}}, {1: [FlowNight("randers", "a-b-c", made), FlowNight("randers", "d-e-f", None)]}, [])
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["withheld", "blocked"])
def test_withheld_and_blocked_are_shown_where_there_are_any(name):
    assert name not in printed(read=10, filtered=10)
    told = printed(read=31, filtered=31, **{name: 23})
    assert name in told
    assert " 23 " in told
