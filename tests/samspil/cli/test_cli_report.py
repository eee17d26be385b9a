"""samspil report: a table that may be shown, on the screen and as CSV."""

from __future__ import annotations

import csv
import json
from collections import Counter

from samspil.hub import Hub
from samspil.ledger import batches

PLACEMENTS = """\
    reports:
      - name: placements
        source: journal
        schema: placement
        smallest: 3
        width: 2
        axes: [{field: target_group, of: course_order}, {field: start, by: year}]
"""


def rows_of(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_reports_are_listed(samspil, town):
    answer = samspil("report", "ringkobing_skjern")
    assert answer.rows("Reports")["orders"]["by"] == "target_group, provider, start_quarter"
    assert "samspil report ringkobing_skjern orders" in answer.out


def test_a_report_shows_no_small_cell_and_nobody(samspil, town, tmp_path):
    out = tmp_path / "orders.csv"
    answer = samspil("report", "ringkobing_skjern", "orders", "--out", str(out))
    assert (answer.code, answer.err) == (0, "")
    assert "✓ proved" in answer.out
    rows = rows_of(out)
    assert list(rows[0]) == ["target_group", "provider", "start_quarter", "count"]
    good = len(town.world.records("course_order")) - len(town.world.broken("course_order"))
    total = next(row for row in rows if {*row.values()} >= {"TOT"} and list(row.values())[:3] == ["TOT"] * 3)
    assert total["count"] in (str(good), "..")
    assert all(row["count"] == ".." or row["count"] == "0" or int(row["count"]) >= 5 for row in rows)
    assert any(row["count"] == ".." for row in rows)
    shown = out.read_text() + answer.out
    numbers = {fact["cpr"] for fact in town.world.records("course_order")}
    assert not [number for number in numbers if number in shown]


def test_what_is_shown_is_what_the_source_has(samspil, town, tmp_path):
    out = tmp_path / "orders.csv"
    samspil("report", "ringkobing_skjern", "orders", "--out", str(out))
    broken = set(town.world.broken("course_order"))
    facts = [fact for fact in town.world.records("course_order") if fact["id"] not in broken]
    expected = Counter(fact["provider"] for fact in facts)
    for row in rows_of(out):
        if (row["target_group"], row["start_quarter"]) == ("TOT", "TOT") and row["count"] != "..":
            assert int(row["count"]) == expected.get(row["provider"], len(facts))


def test_a_record_is_counted_by_what_it_points_at(samspil, town, tmp_path):
    town.edit("  - name: national\n", f"{PLACEMENTS}\n  - name: national\n")
    out = tmp_path / "placements.csv"
    answer = samspil("report", str(town.file), "placements", "--out", str(out))
    assert answer.code == 0, answer.err
    broken = set(town.world.broken("placement"))
    total = sum(fact["id"] not in broken for fact in town.world.records("placement"))
    (last,) = [row for row in rows_of(out) if (row["target_group"], row["start_year"]) == ("TOT", "TOT")]
    assert last["count"] == str(total)
    with Hub.open(town.file) as hub, hub.store.transaction() as connection:
        said = [json.loads(batch.context) for batch in batches(connection, hub.file.municipality.code)]
    read = {(context["what"], context["from"], context["schema"]) for context in said}
    assert read == {("report", "jobcenter", "course_order"), ("report", "journal", "placement")}


def test_a_file_that_is_there_is_kept(samspil, town, tmp_path):
    out = tmp_path / "orders.csv"
    out.write_text("mine")
    answer = samspil("report", "ringkobing_skjern", "orders", "--out", str(out))
    assert (answer.code, out.read_text()) == (1, "mine")
    assert "choose another name" in answer.err


def test_an_unknown_report_is_told_which_there_are(samspil, town):
    answer = samspil("report", "ringkobing_skjern", "moon")
    assert answer.code == 2
    assert "there are: orders" in answer.err


def test_a_report_of_too_few_persons_is_none(samspil, town):
    town.edit("smallest: 5", "smallest: 1000")
    answer = samspil("report", str(town.file), "orders")
    assert answer.code == 1
    assert "too few persons" in answer.err
    assert answer.out == ""
