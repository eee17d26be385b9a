"""The shared schemas say what each field is, and refuse what no sender may mean."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

import schemas
from samspil import codes, export, registry
from schemas import SCHEMAS
from schemas.types import DEAREST

FOLDER = Path(schemas.__file__).parent
CPR = "6103425123"  # a replacement number with a birth date in 2042
MOMENT = "2026-03-01T08:30:00+01:00"
BY_CLASS = {part.cls: part for struct in SCHEMAS.values() for part in export.structs(struct)}
FIELDS = [
    pytest.param(cls, field, id=f"{cls.__name__}.{field.name}")
    for cls, part in BY_CLASS.items()
    for field in part.fields
]
OF_A_PERSON = {"id": "1", "cpr": CPR, "order_id": "B-1"}
ADDRESS = {"street": "Ærøgade 1, 2. th.", "postal_code": "8900", "city": "Randers C"}
SAMPLES = {
    "person": {
        "id": "1",
        "cpr": CPR,
        "given_names": "Søren Åge",
        "family_name": "Østergård",
        "address_protected": False,
        "address": ADDRESS,
        "municipality_code": "730",
        "phone": "+45 12 34 56 78",
        "email": "soeren@example.dk",
        "replaced_cpr": "0103426AB4",
        "status": "01",
    },
    "case": {"id": "1", "cpr": CPR, "opened": "2026-01-01", "kle": "15.20.00", "target_group": "2"},
    "course_order": {
        "id": "B-1",
        "cpr": CPR,
        "given_names": "Søren",
        "family_name": "Østergård",
        "address_protected": True,
        "target_group": "4",
        "provider": "1003730001",
        "offer": "STU: køkken",
        "start": "2026-03-01",
        "end": "2026-03-01",
        "hours_per_week": "37.5",
        "price": "1234.50",
        "consent": True,
        "ordered_at": MOMENT,
        "goals": [{"id": "M1", "title": "Møde", "sub_goals": [{"id": "D1", "title": "Stå op", "due": "2026-05-01"}]}],
    },
    "action_plan": {
        **OF_A_PERSON,
        "title": "Plan for afklaring",
        "author": "Ida Ravn",
        "updated_at": MOMENT,
        "start": "2026-03-01",
        "end": "2026-08-30",
        "next_follow_up": "2026-04-15",
        "purpose": "At få en fast hverdag",
        "citizens_wish": "Vil gerne arbejde udendørs",
        "goals": [
            {
                "id": "M1",
                "title": "Møde",
                "status": "setback",
                "progress": 40,
                "comment": "Et skridt tilbage",
                "sub_goals": [{"id": "D1", "title": "Stå op", "status": "reached"}],
            }
        ],
    },
    "activity": {
        "id": "1",
        "cpr": CPR,
        "kind": "guidance",
        "title": "Mentor",
        "provider": "1003730001",
        "start": "2026-03-01",
        "hours_per_week": "2",
    },
    "attendance": {**OF_A_PERSON, "date": "2026-03-02", "status": "present", "hours": "7.4"},
    "journal_note": {**OF_A_PERSON, "written_at": MOMENT, "author": "Ida Ravn", "kind": "course", "text": "Går godt"},
    "status_note": {
        **OF_A_PERSON,
        "period_start": "2026-01-01",
        "period_end": "2026-03-31",
        "written": "2026-04-02",
        "author": "Ida Ravn",
        "summary": "Fremmødet er steget.",
    },
    "assessment": {
        **OF_A_PERSON,
        "answered": "2026-03-01",
        "round": 1,
        "questionnaire": "own-rating",
        "distance": 60,
        "answers": [{"question": "mestring", "score": 3}],
    },
    "placement": {
        **OF_A_PERSON,
        "company_cvr": "99999993",
        "company_name": "Café Åstedet",
        "kind": "work-trial",
        "start": "2026-03-01",
        "hours_per_week": "15",
        "wage_subsidy": False,
    },
    "company": {
        "id": "1",
        "cvr": "99999993",
        "p_number": "1003730002",
        "name": "Café Åstedet",
        "address": ADDRESS,
        "places": 4,
        "free_places": 4,
    },
    "meeting": {"id": "1", "cpr": CPR, "kind": "status", "held_at": MOMENT, "participants": ["Ida Ravn"]},
    "document": {
        "id": "1",
        "cpr": CPR,
        "title": "Handleplan.pdf",
        "media_type": "application/pdf",
        "created_at": MOMENT,
        "sha256": hashlib.sha256(b"%PDF").hexdigest(),
        "content": "JVBERg==",
    },
}


@pytest.mark.parametrize(("cls", "field"), FIELDS)
def test_every_field_says_what_it_is(cls, field):
    """The English meaning, the users' Danish term, how sensitive it is and where its rule comes from."""
    known = export.facts(field)

    assert known["da"]
    assert known["source"]
    assert known["sensitivity"] in {"identifier", "ordinary", "sensitive"}
    assert field.type.extra_json_schema["description"].endswith(f"Dansk: {known['da']}.")


def test_every_code_list_a_field_names_exists_and_every_list_is_used():
    named = {
        export.facts(field)["code_list"]
        for part in BY_CLASS.values()
        for field in part.fields
        if "code_list" in export.facts(field)
    }

    assert named == set(codes.load_all())


def test_the_date_on_which_a_code_must_be_valid_is_a_field_of_its_schema():
    for name, struct in SCHEMAS.items():
        for part in export.structs(struct):
            for field in part.fields:
                on = export.facts(field).get("valid_on")
                assert on is None or on in struct.__struct_fields__, f"{name}.{field.name}"


def test_names_and_addresses_of_citizens_are_hidden_by_address_protection():
    for name in ("person", "course_order"):
        hidden = {field.name for field in BY_CLASS[SCHEMAS[name]].fields if export.facts(field).get("protected")}
        assert {"given_names", "family_name", "address"} == hidden


def test_every_schema_is_one_file_of_its_name():
    for name, struct in SCHEMAS.items():
        assert f"schemas.{name}" == struct.__module__


def test_every_struct_is_frozen_and_takes_no_unknown_field():
    for cls in BY_CLASS:
        config = cls.__struct_config__
        assert config.frozen
        assert config.forbid_unknown_fields


def test_schemas_import_nothing_but_msgspec_and_the_standard_library():
    allowed = sys.stdlib_module_names | {"msgspec", "schemas"}
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.partition(".")[0] for name in names} <= allowed, file.name


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_record_survives_json(name):
    record = msgspec.convert(SAMPLES[name], SCHEMAS[name])

    assert record == msgspec.json.decode(msgspec.json.encode(record), type=SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_json_schema_accepts_what_the_struct_accepts(name):
    document = export.json_schema(name)
    record = json.loads(msgspec.json.encode(msgspec.convert(SAMPLES[name], SCHEMAS[name])))

    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema.Draft202012Validator(document).validate(record)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(document).validate(record | {"surprise": 1})


def test_the_json_schema_carries_terms_sensitivity_source_and_codes():
    status = export.json_schema("attendance")["$defs"]["Attendance"]["properties"]["status"]

    assert status["x-da"] == "fremmødestatus"
    assert status["x-sensitivity"] == "sensitive"
    assert status["x-code-list"] == "attendance_status"
    assert status["x-valid-on"] == "date"
    assert {"code": "absent", "valid_from": "2015-01-01", "valid_to": "2024-01-01"}.items() <= status["x-codes"][
        0
    ].items()


def test_the_json_schemas_are_the_same_in_every_process():
    program = (
        "import json, samspil.export as e, schemas; print(json.dumps([e.json_schema(n) for n in schemas.SCHEMAS]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            cwd=FOLDER.parent,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert [[export.json_schema(name) for name in registry.schemas()]] == [json.loads(output) for output in outputs]


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("attendance", "cpr", CPR[1:]),
        ("attendance", "cpr", CPR + "\n"),
        ("attendance", "cpr", "6113425123"),
        ("attendance", "cpr", "3203425123"),
        ("attendance", "cpr", "0000000000"),
        ("attendance", "hours", "24.25"),
        ("attendance", "hours", "-1"),
        ("attendance", "hours", "NaN"),
        ("activity", "hours_per_week", "60"),
        ("activity", "end", "2026-02-28"),
        ("activity", "provider", "003730001"),
        ("action_plan", "end", "2026-02-28"),
        ("action_plan", "purpose", ""),
        ("action_plan", "citizens_wish", "x" * 4001),
        ("placement", "company_cvr", "09999999"),
        ("placement", "hours_per_week", "Infinity"),
        ("course_order", "price", "-1"),
        ("course_order", "price", "1.234"),
        ("course_order", "price", str(DEAREST + 1)),
        ("course_order", "ordered_at", "2026-03-01T08:30:00"),
        ("course_order", "goals", [{"id": "1", "title": "M"}] * 51),
        ("case", "kle", "15.20"),
        ("case", "closed", "2025-12-31"),
        ("status_note", "period_end", "2025-12-31"),
        ("journal_note", "text", ""),
        ("journal_note", "text", "x" * 8001),
        ("assessment", "distance", 101),
        ("assessment", "round", 0),
        ("assessment", "answers", [{"question": "mestring", "score": 6}]),
        ("company", "free_places", 5),
        ("document", "sha256", "0" * 64),
        ("document", "media_type", "pdf"),
        ("person", "municipality_code", "0730"),
        ("person", "phone", "ring til mor"),
    ],
)
def test_what_no_sender_may_mean_is_refused_without_showing_it(name, field, value):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(SAMPLES[name] | {field: value}, SCHEMAS[name])

    assert field in str(caught.value)
    assert len(str(value)) < 3 or str(value) not in str(caught.value)
