"""A recipient gets pseudonyms, never numbers; a new key gives new ones, and who is who is told once or never."""

from __future__ import annotations

import csv
import json
import stat

import pytest

from samspil.errors import SamspilError, SettingsError
from samspil.flow.rotation import write_mapping
from samspil.ledger import batches
from samspil.pseudonym import pseudonyms

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

ATTENDANCE = "journal-attendance-jobcenter"
ROWS = ("a1 word", "b1 other", "c2 third")


def agreed(pair, more=""):
    pair.agree(
        **{"purpose: follow-up": f"pseudonyms: {{recipient: office, fields: [cpr]{more}}}\n    purpose: follow-up"}
    )


def numbers(pair):
    return {json.loads(raw)["cpr"] for page in pair.centre.read("action_plan") for raw in page.raws}


def held(pair):
    return {record["id"]: record["cpr"] for record in pair.office.held.values()}


def test_the_recipient_gets_the_same_pseudonym_for_one_person_and_no_number(pair):
    agreed(pair)
    assert pair.night(*ROWS).delivered == 3
    sent = held(pair)
    assert sent["a1"] == sent["b1"] != sent["c2"]
    with pair.hub() as hub:
        expected = set(map(pseudonyms(hub.vault, "office", 1), numbers(pair)))
    assert set(sent.values()) == expected
    whole = json.dumps(list(pair.office.held.values()))
    assert not [number for number in numbers(pair) if number in whole]
    assert pair.night(*ROWS).unchanged == 3


def test_keys_of_records_can_be_hidden_too(lite):
    lite.agree(**{"purpose: follow-up": "pseudonyms: {recipient: office, fields: [cpr, id]}\n    purpose: follow-up"})
    assert lite.night(*ROWS).delivered == 3
    assert not {"a1", "b1", "c2"} & set(held(lite))
    assert lite.night("a1 word", "b1 other").deleted == 1
    assert len(held(lite)) == 2


def test_an_agreement_that_begins_to_hide_replaces_every_number(lite):
    lite.night(*ROWS)
    assert set(held(lite).values()) == numbers(lite)
    agreed(lite)
    assert lite.night(*ROWS).updates == 3
    assert not set(held(lite).values()) & numbers(lite)


def test_a_new_key_gives_new_pseudonyms_and_a_mapping_once(pair, tmp_path):
    agreed(pair, ", rotation: mapped")
    pair.night(*ROWS)
    before = held(pair)
    agreed(pair, ", rotation: mapped, version: 2")
    assert pair.night(*ROWS).updates == 3
    after = held(pair)
    assert not set(before.values()) & set(after.values())
    out = tmp_path / "office-2.csv"
    pair.has(*ROWS, "d9 never-sent")
    with pair.hub() as hub:
        assert write_mapping(hub, "office", out, who="it", why="yearly") == 2
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert {row["old"]: row["new"] for row in rows} == {before[key]: after[key] for key in before}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with pair.hub() as hub, pytest.raises(SamspilError, match="once only"):
        write_mapping(hub, "office", tmp_path / "again.csv", who="it", why="again")
    assert not (tmp_path / "again.csv").exists()
    with pair.hub() as hub, hub.store.transaction() as connection:
        said = [json.loads(batch.context) for batch in batches(connection, "760")]
    (told,) = [context for context in said if context["what"] == "rotate"]
    assert (told["recipient"], told["version"], told["pairs"], told["why"]) == ("office", 2, 2, "yearly")


def test_a_file_that_cannot_be_written_is_not_the_one(lite, tmp_path):
    agreed(lite, ", rotation: mapped, version: 2")
    lite.night(*ROWS)
    with lite.hub() as hub, pytest.raises(SettingsError, match="cannot be written"):
        write_mapping(hub, "office", tmp_path / "no" / "folder.csv", who="it", why="yearly")
    with lite.hub() as hub:
        assert write_mapping(hub, "office", tmp_path / "new.csv", who="it", why="yearly") == 2


@pytest.mark.parametrize(
    ("more", "why"), [(", version: 2", "lets nobody keep"), (", rotation: mapped", "never changed")]
)
def test_no_mapping_without_the_agreement_or_without_a_new_key(lite, tmp_path, more, why):
    agreed(lite, more)
    lite.night(*ROWS)
    with lite.hub() as hub, pytest.raises(SettingsError, match=why):
        write_mapping(hub, "office", tmp_path / "x.csv", who="it", why="yearly")
    assert not (tmp_path / "x.csv").exists()


def test_a_system_that_demands_a_cpr_number_is_refused_at_its_line(on_sqlite):
    told = "pseudonyms:\n      recipient: jobcenter\n      fields: [cpr]\n    purpose: follow"
    on_sqlite.agree(**{"purpose: follow": told})
    with on_sqlite.hub() as hub, pytest.raises(SettingsError, match="demands the cpr itself in CPRnummer") as caught:
        hub.flow(ATTENDANCE)
    assert caught.value.file == str(on_sqlite.file)
    assert on_sqlite.file.read_text().splitlines()[caught.value.line - 1].strip() == "fields: [cpr]"
