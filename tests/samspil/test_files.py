"""Cutting, decoding and writing CSV files; no server here (see test_sftp and the journal_files connector)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samspil.errors import Refused, SettingsError, Unavailable
from samspil.files import Column, FileKind, Rows, check, contract, delivery, render, table
from samspil.files.rows import guard, unguard

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\x18\x1d\x1e"), max_size=12) | st.text(
    'a;"\n\r =', max_size=8
)

PLAN = """
plan:
  file: Planer
  key: Id
  trailer: Antal
  formulas: apostrophe
  columns:
    - {name: Id, required: true}
    - {name: Titel, required: true, length: 20}
    - {name: Tal, type: integer}
  children:
    - file: Maal
      list: Maal
      key: MaalId
      record: Id
      formulas: apostrophe
      columns: [{name: Id, required: true}, {name: MaalId, required: true}, {name: Titel, required: true}]
      children:
        - file: Delmaal
          list: Delmaal
          record: Id
          parent: MaalId
          columns: [{name: Id, required: true}, {name: MaalId, required: true}, {name: Navn, required: true}]
"""


def plan_kind(folder: Path, text: str = PLAN) -> FileKind:
    path = folder / "columns.yaml"
    path.write_text(text, "utf-8")
    return contract(path)["plan"]


@pytest.fixture
def plan(tmp_path):
    return plan_kind(tmp_path)


def test_fields_have_dotted_paths_without_links(plan):
    assert ["Id", "Titel", "Tal", "Maal[].MaalId", "Maal[].Titel", "Maal[].Delmaal[].Navn"] == list(plan.fields())
    assert [True, True, False] == [field.required for field in plan.fields().values()][:3]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("key: Id", "key: Nr"),
        ("parent: MaalId", "parent: Andet"),
        ("{name: Tal, type: integer}", "{name: Titel}"),
        ("    - {name: Titel, required: true, length: 20}\n    - {name: Tal, type: integer}\n", ""),
        ("      list: Maal\n", ""),
    ],
)
def test_a_contract_that_cannot_work_names_its_file(tmp_path, old, new):
    assert old in PLAN
    with pytest.raises(SettingsError, match=r"columns\.yaml"):
        plan_kind(tmp_path, PLAN.replace(old, new))


def raw(*groups: tuple[bytes, ...]) -> bytes:
    return b"\x1d".join(b"\x1e".join(group) for group in groups)


TOP = (b"utf-8", b"Id;Titel;Tal")


def test_rows_of_child_files_become_lists_in_lists(plan):
    data = raw(
        (*TOP, b"1;plan;"),
        (b"Maal", b"latin-1", b"MaalId;Id;Titel", b"a;1;m\xe5l", b'b;1;"to\nlinjer"'),
        (b"Maal.Delmaal", b"utf-8", b"Id;MaalId;Navn", b"1;b;x", b"1;b;y"),
    )
    assert {
        "Id": "1",
        "Titel": "plan",
        "Tal": None,
        "Maal": [
            {"MaalId": "a", "Titel": "mål", "Delmaal": []},
            {"MaalId": "b", "Titel": "to\nlinjer", "Delmaal": [{"Navn": "x"}, {"Navn": "y"}]},
        ],
    } == Rows(plan).decode(data)


@pytest.mark.parametrize(
    ("data", "reason", "field"),
    [
        (raw((*TOP, b"1;")), "field-count", ""),
        (raw((*TOP, b"1;;2")), "missing-field", "Titel"),
        (raw((*TOP, b"1;\xe5;2")), "not-text", ""),
        (raw((*TOP, b"1;\x07;2")), "not-text", ""),
        (raw((b"latin-1", TOP[1], b"1;\x85;2")), "not-text", ""),
        (raw((*TOP, b"1;x;2"), (b"Maal", b"utf-8", b"Id;MaalId;Titel", b"1;a;")), "missing-field", "Maal[].Titel"),
        (
            raw((*TOP, b"1;x;2"), (b"Maal", b"utf-8", b"Id;MaalId;Titel", b"\x18field-count\x18f:7\x181;a")),
            "field-count",
            "f:7",
        ),
        (
            raw((*TOP, b"1;x;2"), (b"Maal.Delmaal", b"utf-8", b"Id;MaalId;Navn", b"1;a;b")),
            "orphan-row",
            "Maal[].Delmaal[]",
        ),
    ],
)
def test_a_broken_record_is_refused_with_the_place(plan, data, reason, field):
    refused = Rows(plan).decode(data)
    assert isinstance(refused, Refused)
    assert (reason, field) == (refused.reason, refused.field)


@pytest.mark.parametrize("group", [(b"Gamle", b"utf-8", b"Id;Titel", b"1;x"), (b"Maal", b"utf-8", b"Titel", b"x")])
def test_a_record_kept_since_before_the_contract_changed_is_refused(plan, group):
    refused = Rows(plan).decode(raw((*TOP, b"1;x;2"), group))
    assert isinstance(refused, Refused)
    assert "other-columns" == refused.reason


@given(TEXT)
def test_guarded_text_comes_back_and_runs_nowhere(text):
    assert text == unguard(guard(text))
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@pytest.mark.parametrize("text", ["=1+1", *(f"{sign}1" for sign in "\uff1d\uff0b\uff0d\uff20")])
def test_a_child_file_is_guarded_as_the_file_above_it(text):
    child = FileKind(file="B", columns=(Column(name="Id"), Column(name="Titel")), list="Bs", record="Id")
    kind = FileKind(file="A", key="Id", columns=(Column(name="Id"),), formulas="apostrophe", children=(child,))
    (_, written), _ = render(kind, [{"Id": "1", "Bs": [{"Titel": text}]}], "utf-8")
    assert f"\r\n1;'{text}\r\n" in written.decode()
    assert kind.children[0].formulas == "apostrophe"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("-5", True),
        ("+4512345678", True),
        ("-1,5", True),
        ("M", True),
        ("=1+1", False),
        ("-1+cmd|x", False),
        ("@x", False),
    ],
)
@pytest.mark.parametrize("kind_of_cell", ["code", "integer", "decimal", "digits", "date"])
def test_a_cell_that_is_no_free_text_runs_nowhere(kind_of_cell, text, fits):
    kind = FileKind(file="A", key="Id", columns=(Column(name="Id", type=kind_of_cell),), formulas="apostrophe")
    if fits:
        check(kind, {"Id": text}, "utf-8")
        return
    with pytest.raises(Refused) as caught:
        check(kind, {"Id": text}, "utf-8")
    assert ("formula", "Id") == (caught.value.reason, caught.value.field)


def test_records_are_written_children_first_with_a_trailer(plan):
    record = {
        "Id": "1",
        "Titel": "=1+1",
        "Tal": -5,
        "Maal": [{"MaalId": "a", "Titel": 'æ;"ø"', "Delmaal": [{"Navn": "x"}]}],
    }
    assert [
        ("Delmaal", b"Id;MaalId;Navn\r\n1;a;x\r\n"),
        ("Maal", b'Id;MaalId;Titel\r\n1;a;"\xe6;""\xf8"""\r\n'),
        ("Planer", b"Id;Titel;Tal\r\n1;'=1+1;-5\r\nAntal;1\r\n"),
    ] == render(plan, [record], "latin-1")


@given(st.lists(st.tuples(TEXT, st.integers(-99, 99)), max_size=4))
def test_what_was_written_is_read_back(tmp_path_factory, given_rows):
    plan = plan_kind(tmp_path_factory.mktemp("contract"))
    records = [{"Id": str(at), "Titel": text, "Tal": number} for at, (text, number) in enumerate(given_rows)]
    good = []
    for record in records:
        try:
            check(plan, record, "utf-8")
            good.append(record)
        except Refused:
            assert record["Titel"] == "" or len(record["Titel"]) > 20 or not record["Titel"].isprintable()
    data = dict(render(plan, good, "utf-8"))["Planer"]
    found = table(plan, "Planer.csv", data, system="s", encoding="latin-1")
    assert [{**record, "Tal": str(record["Tal"]), "Maal": []} for record in good] == found


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"Ny": "x"}, "unknown-field", "Ny"),
        ({"Titel": None}, "missing-field", "Titel"),
        ({"Titel": "x" * 21}, "too-long", "Titel"),
        ({"Titel": "a\x00"}, "not-text", "Titel"),
        ({"Titel": "šč"}, "not-in-character-set", "Titel"),
        ({"Tal": 1.5}, "not-a-cell", "Tal"),
        ({"Tal": True}, "not-a-cell", "Tal"),
        ({"Maal": [{"MaalId": "a", "Titel": ""}]}, "missing-field", "Maal[].Titel"),
    ],
)
def test_a_record_the_file_has_no_room_for_is_refused(plan, change, reason, field):
    with pytest.raises(Refused) as caught:
        check(plan, {"Id": "1", "Titel": "x", **change}, "latin-1")
    assert (reason, field) == (caught.value.reason, caught.value.field)


def test_the_same_keys_give_the_same_name_and_others_another():
    assert delivery(["a", "b"]) == delivery(iter(["a", "b"]))
    assert len({delivery(keys) for keys in (["a", "b"], ["b", "a"], ["ab"], ["a"])}) == 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Id;Titel;Tal\n1;x;2\n", "file-incomplete"),
        (b"Id;Titel;Tal\n1;x;2\nAntal;2\n", "file-incomplete"),
        (b"Id;Titel;Tal\nAntal;0\n1;x;2\n", "file-incomplete"),
        (b"Id;Titel;Tal\n1;x;2\nAntal;1", "file-incomplete"),
        (b"", "missing-column"),
        (b"Id;Titel\n", "missing-column"),
        (b"Id;Titel;Tal;Ny\n", "unknown-column"),
        (b"Id;Titel;Tal;Tal\n", "duplicate-column"),
        (b"\xff\xfeI\x00d\x00\n", "missing-column"),
        (b"Id;Titel;Tal\n1;;2\nAntal;1\n", "missing-field"),
    ],
)
def test_a_small_file_is_whole_or_nothing(plan, data, reason):
    with pytest.raises(Unavailable) as caught:
        table(plan, "Planer.csv", data, system="s", encoding="latin-1")
    assert reason == caught.value.reason


def test_an_unknown_column_is_not_shown_because_it_may_be_a_person(plan):
    with pytest.raises(Unavailable) as caught:
        table(plan, "Planer.csv", b"Id;Titel;Tal;6108576547\n", system="s", encoding="latin-1")
    assert "6108576547" not in str(caught.value)
