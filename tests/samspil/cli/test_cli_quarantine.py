"""What is held back: listed without persons, shown with a reason, sent through again, dropped."""

import json
import re

import pytest

from samspil.cli.quarantine import _readable
from samspil.hub import Hub
from samspil.ledger import batches

TOWN = "ringkobing_skjern"
NAME = "Ringkøbing-Skjern"
ATTENDANCE = "journal-attendance-jobcenter"
ORDER = "jobcenter-course_order-journal"


def contexts(what):
    with Hub.find(TOWN, write=False) as hub, hub.store.transaction() as connection:
        every = [json.loads(batch.context) for batch in batches(connection, "760")]
    return [context for context in every if context["what"] == what]


def test_nothing_held_back_is_said_in_words(town_on_sqlite, samspil):
    assert f"{NAME}: nothing is held back\n" == samspil("quarantine", "list", TOWN).out
    assert "Nothing is held back.\n" == samspil("quarantine", "replay", TOWN).out


def test_the_list_has_reason_and_field_and_the_next_steps(town, samspil):
    samspil("apply", TOWN)
    answer = samspil("quarantine", "list", TOWN)
    rows = answer.rows(re.search(rf"{NAME}: \d+ held back", answer.out)[0])
    assert {"bad-date", "unknown-code"} <= {row["reason"] for row in rows.values()}
    newest = next(iter(rows))
    assert f"samspil quarantine show {TOWN} {newest} --why" in answer.out
    assert f"samspil quarantine replay {TOWN}" in answer.out
    some = samspil("quarantine", "list", TOWN, "--limit", "1", "--flow", ATTENDANCE)
    assert "… and 1 more (--limit)" in some.out
    assert ORDER not in some.out


def test_show_shows_the_record_with_danish_letters_and_is_in_the_ledger(town, samspil):
    samspil("apply", TOWN, "--flow", ORDER)
    broken = town.world.broken("course_order")
    record = next(r for r in town.world.records("course_order") if r["id"] in broken)
    texts = []
    for entry in ("1", "2"):
        answer = samspil("quarantine", "show", TOWN, entry, "--why", "sag 2026-114")
        assert 0 == answer.code
        assert f"samspil quarantine replay {TOWN} {entry}" in answer.out
        texts.append(answer.out)
    shown = next(text for text in texts if record["id"] in text)
    assert record["cpr"] in shown
    assert f"  <jc:Fornavne>{record['given_names']}</jc:Fornavne>" in shown
    assert record["offer"] in shown
    assert [("sag 2026-114", 1), ("sag 2026-114", 2)] == [(c["why"], c["entry"]) for c in contexts("reveal")]


def test_raw_gives_the_bytes_as_they_came_and_nothing_else(town_on_sqlite, samspil):
    samspil("apply", TOWN, "--flow", ORDER)
    answer = samspil("quarantine", "show", TOWN, "1", "--why", "to the vendor", "--raw")
    assert answer.out.startswith("<jc:Bestilling>")
    assert answer.out.endswith("</jc:Bestilling>")
    assert 1 == len(contexts("reveal"))


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a":"\xc3\xa6"}', '{\n  "a": "æ"\n}'),
        (b"<a><b>x</b><c/><d><e>\xc3\xb8</e></d></a>", "<a>\n  <b>x</b>\n  <c/>\n  <d>\n    <e>ø</e>\n  </d>\n</a>"),
        (b"Navn;By\x1e\xc5ge;R\xf8dby", "Navn;By\nÅge;Rødby"),
        (b"{not json", "{not json"),
    ],
)
def test_a_record_is_laid_out_for_reading(payload, shown):
    assert shown == _readable(payload)


def test_a_records_control_characters_do_not_reach_the_terminal(capsys):
    from samspil.cli import show

    show.line(_readable(b"x\x1b]0;title\x07\x9by"))
    assert "\x1b" not in capsys.readouterr().out


def test_what_cannot_be_mended_stays_with_its_reason(town_on_sqlite, samspil):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    answer = samspil("quarantine", "replay", TOWN)
    assert 0 == answer.code
    assert {"0"} == {row["delivered"] for row in answer.rows("sent through again").values()}
    assert re.search(r"^entry 1 stays: [a-z-]+: \w+", answer.out, re.MULTILINE)
    assert f"What is left: samspil quarantine list {TOWN}" in answer.out


def test_a_mended_target_takes_what_is_replayed(town, samspil):
    persons = {r["id"]: r["cpr"] for r in town.world.records("attendance")}
    orders = town.sandboxes["jobcenter"].register._orders_of(1)
    unknown = {key: orders.pop(key) for key in list(orders) if orders[key] == persons[min(persons)]}
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    before = len(town.held()["jobcenter attendance"])
    listed = samspil("quarantine", "list", TOWN)
    (entry,) = [
        number
        for number, row in listed.rows(re.search(rf"{NAME}: \d+ held back", listed.out)[0]).items()
        if row["stage"] == "deliver"
    ]
    orders.update(unknown)
    answer = samspil("quarantine", "replay", TOWN, entry)
    row = answer.rows("sent through again")[ATTENDANCE]
    assert ("1", "1", "0", "0") == (row["entries"], row["delivered"], row["held back"], row["staying"])
    assert len(town.held()["jobcenter attendance"]) > before


def test_a_page_that_could_not_be_cut_says_that_the_next_run_reads_again(town_on_sqlite, samspil):
    town_on_sqlite.sandboxes["journal"].faults.add("garbage", path="/v1/attendances")
    assert 0 == samspil("apply", TOWN, "--flow", ATTENDANCE).code
    listed = samspil("quarantine", "list", TOWN)
    assert "could not be cut into records" in listed.out
    assert "the next run reads the source anew" in listed.out
    assert "the next run reads" in samspil("quarantine", "show", TOWN, "1", "--why", "x").out
    assert "entry 1 stays: uncut-page: the next run reads the page again" in samspil("quarantine", "replay", TOWN).out


def test_a_dropped_entry_is_gone_from_the_list_and_in_the_ledger(town_on_sqlite, samspil):
    samspil("apply", TOWN, "--flow", ATTENDANCE)
    answer = samspil("quarantine", "drop", TOWN, "1", "--why", "test record")
    assert 0 == answer.code
    assert "the next run meets it again" in answer.out
    assert [("test record", 1)] == [(c["why"], c["entry"]) for c in contexts("drop")]
    assert 1 == samspil("quarantine", "drop", TOWN, "1", "--why", "again").code
