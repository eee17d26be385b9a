import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samspil.codes import Code, CodeList
from samspil.mapping import converters
from samspil.mapping.dates import DENMARK
from samspil.mapping.tree import Node

LIST = CodeList("letters", [Code(name, date(2020, 1, 1), None, name, name) for name in "abc"])
TYPES = {"date": date, "local_midnight": date, "timestamp": datetime, "base64": bytes, "boolean": bool, "integer": int}
TYPES |= dict.fromkeys(["number", "decimal_point", "decimal_comma", "hours_minutes"], Decimal)


def make(name: str, base: type | None = None, **options: Any) -> converters.Converter:
    kind = base or TYPES.get(name, str)
    node = Node("field", annotation=kind, base=kind, extra={"code_list": "letters"} if name == "code" else {})
    return converters.make({name: options}, node, {"letters": LIST})


SUMMER_TIME = [date(2026, 3, 28) + timedelta(days=day) for day in range(3)]
SUMMER_TIME += [date(2026, 10, 24) + timedelta(days=day) for day in range(3)]
DATES = st.dates(min_value=date(1980, 1, 1)) | st.sampled_from(SUMMER_TIME)
WORDS = st.text("abcæøåÆØÅ-", min_size=1, max_size=8)
DECIMALS = st.decimals(-(10**9), 10**9, places=2)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(9000, 1, 1), timezones=OFFSETS)  # noqa: DTZ001  # naive bounds

OURS = [
    # a converter · values of ours that must come back as they were
    (make("text"), st.text()),
    (make("integer"), st.integers()),
    (make("integer", text=True), st.integers(-(10**18) + 1, 10**18 - 1)),
    (make("number"), DECIMALS),
    (make("number", float), st.floats(allow_nan=False, allow_infinity=False)),
    (make("boolean"), st.booleans()),
    (make("boolean", true="Ja", false="Nej"), st.booleans()),
    (make("boolean", true=1, false=0), st.booleans()),
    (make("decimal_point"), st.decimals(-(10**9), 10**9, places=7)),
    (make("decimal_comma"), DECIMALS),
    (make("decimal_comma", places=2), DECIMALS),
    (make("hours_minutes"), st.integers(0, 9999 * 60).map(lambda m: (Decimal(m) / 60).quantize(Decimal("0.01")))),
    (make("cpr"), st.sampled_from(["6101800017", "8902800017", "0101455AB2"])),
    (make("cpr", separator="-"), st.sampled_from(["6101800017", "8902800017", "0101455AB2"])),
    (make("cvr"), st.sampled_from(["29189668"])),
    (make("p_number"), st.integers(10**9, 10**10 - 1).map(str)),
    (make("code"), st.sampled_from("abc")),
    (make("code", values={"1": "a", "2": "b"}), st.sampled_from("ab")),
    (make("code", values={1: "a", 2: "b"}), st.sampled_from("ab")),
    (make("base64"), st.binary()),
    (make("date"), DATES),
    (make("date", format="dd-mm-yyyy"), DATES),
    (make("date", format="yyyymmdd"), DATES),
    (make("local_midnight"), DATES),
    (make("timestamp"), MOMENTS),
    (make("timestamp", zone="utc"), MOMENTS),
    (make("timestamp", digits=7), MOMENTS),
    (make("name_parts"), st.tuples(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), WORDS)),
    (make("name_parts", order="family_first"), st.tuples(*[st.lists(WORDS, min_size=1, max_size=3).map(" ".join)] * 2)),
]
NAMES = [f"{made.name} {made.options}".strip() for made, _ in OURS]


@pytest.mark.parametrize(("made", "values"), OURS, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_back_as_it_was(made, values, data):
    """From ours and back: a system's copy of a field says the same as the owner's."""
    value = data.draw(values)
    arguments = value if isinstance(value, tuple) else (value,)
    wire = made.to_theirs(*arguments)
    assert type(wire) in made.theirs
    assert value == made.to_ours(wire)
    assert wire == msgspec.json.decode(msgspec.json.encode(wire))


@pytest.mark.parametrize(("made", "values"), OURS, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_read_writes_back_as_it_was(made, values, data):
    """From canonical theirs and back: nothing changes in a system that is read and written."""
    value = data.draw(values)
    wire = made.to_theirs(*value if isinstance(value, tuple) else (value,))
    result = made.to_ours(wire)
    assert wire == made.to_theirs(*result if isinstance(result, tuple) else (result,))


@settings(max_examples=300, deadline=None)
@given(moment=MOMENTS)
@example(moment=datetime(2026, 10, 25, 2, 30, tzinfo=DENMARK))
@example(moment=datetime(2026, 10, 25, 2, 30, tzinfo=DENMARK, fold=1))
def test_a_seven_digit_fraction_with_danish_offset_comes_back(moment):
    made = make("timestamp", digits=7)
    local = moment.astimezone(UTC).astimezone(DENMARK).isoformat(timespec="microseconds")
    text = f"{local[:26]}0{local[26:]}"
    assert text == made.to_theirs(made.to_ours(text))


def test_the_seventh_digit_is_rounded_away():
    assert 921879 == make("timestamp").to_ours("2019-04-30T15:06:58.9218786+02:00").microsecond


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        (date(2026, 3, 29), "2026-03-28T23:00:00Z"),  # summer time begins at two that night
        (date(2026, 3, 30), "2026-03-29T22:00:00Z"),
        (date(2026, 10, 25), "2026-10-24T22:00:00Z"),  # and ends
        (date(2026, 10, 26), "2026-10-25T23:00:00Z"),
    ],
)
def test_local_midnight_follows_summer_time(day, moment):
    made = make("local_midnight")
    assert (moment, day) == (made.to_theirs(day), made.to_ours(moment))


REFUSED = [
    (
        make("local_midnight"),
        ["2026-03-29T23:00:00Z", "2026-03-28T22:00:00Z", "2026-03-28", "2026-03-28T23:00:00+00:00"],
    ),
    (
        make("date"),
        ["20260328", "2026-W13-6", "2026-02-30", "28-03-2026", "2026-3-28", " 2026-03-28", "\u0662026-03-28", None],
    ),
    (make("date", format="dd-mm-yyyy"), ["2026-03-28", "28-13-2026", "28-03-26", "28.03.2026"]),
    (make("timestamp"), ["2026-03-28T10:00:00", "2026-03-28", 1, None]),
    (
        make("decimal_comma"),
        ["1.5", "1,", ",5", "1 000,00", "1.000,00", "1e3", "NaN", "+1", "\uff11", "", 1, True, None],
    ),
    (make("decimal_point"), ["1,5", "1_0", "Infinity", " 1", 1.5, None]),
    (make("number"), [float("nan"), float("inf"), True, "1", None]),
    (make("integer"), [True, 1.0, "1", None]),
    (make("integer", text=True), ["1.0", " 1", "\uff11", "", 1, None]),
    (make("boolean"), [1, "true", None]),
    (make("boolean", true=1, false=0), [True, 1.0, "1", 2, None]),
    (make("boolean", true="Ja", false="Nej"), ["ja", True, None, []]),
    (make("hours_minutes"), ["7:24", "07:60", "007:24", "07.24", "-07:24", None]),
    (make("cpr"), ["610180001", "61018000177", "6113800017", "610180 017", "", None]),
    (
        make("cpr", separator="-"),
        ["6101800017", "610180 0017", "61018-00017", "611380-0017", "610180-001", "-", "", None],
    ),
    (make("cvr"), ["29189667", "2918966", "DK29189668", None]),
    (make("p_number"), ["0123456789", "123", None]),
    (make("code"), ["d", "", None, 1, []]),
    (make("code", values={1: "a"}), [True, 1.0, "1", 2]),
    (make("base64"), ["å", "abc", "a b=", None]),
    (make("name_parts"), ["Prøve", "", " Prøve", "Åse  Prøve", "Åse ", None]),
    (make("name_parts", order="family_first"), ["Åse Prøve", "Prøve,Åse", "Prøve, ", None]),
]


@pytest.mark.parametrize(
    ("made", "value"),
    [(made, value) for made, values in REFUSED for value in values],
    ids=[f"{made.name} {made.options} {value!r}" for made, values in REFUSED for value in values],
)
def test_anything_else_does_not_pass(made, value):
    with pytest.raises(Exception):  # noqa: B017, PT011  # any: tracing turns it into a reason
        made.to_ours(value)


@pytest.mark.parametrize(
    ("made", "values"),
    [
        (make("hours_minutes"), [Decimal("7.31"), Decimal(-1), Decimal("NaN")]),
        (make("decimal_comma"), [Decimal("NaN"), Decimal("Infinity")]),
        (make("decimal_comma", places=2), [Decimal("1.005")]),
        (make("number"), [Decimal("0.12345678901234567890")]),
        (make("name_parts"), [("Åse", None), ("", "Prøve")]),
        (make("name_parts", order="family_first"), [("Åse", "Prøve, jr.")]),
    ],
)
def test_what_could_not_be_read_back_is_not_written(made, values):
    for value in values:
        with pytest.raises(Exception):  # noqa: B017, PT011  # any: tracing turns it into a reason
            made.to_theirs(*value if isinstance(value, tuple) else (value,))


def test_the_places_asked_for_are_written():
    assert ["37,00", "7,40"] == [make("decimal_comma", places=2).to_theirs(Decimal(text)) for text in ("37", "7.4")]


def test_two_of_their_fields_can_be_one_name_of_ours(workshop):
    struct = msgspec.defstruct(
        "S", [("worker", Annotated[str | None, msgspec.Meta()], None)], frozen=True, kw_only=True
    )
    text = "record: R\nrows:\n  - {theirs: [First, Last], ours: worker, as: name_parts}\n"
    fields = {name: SimpleNamespace(required=False) for name in ("First", "Last")}
    loaded = workshop.load(text, fields=fields, struct=struct)
    assert "Åse Prøve" == loaded.to_ours({"First": "Åse", "Last": "Prøve"}).worker
    assert {"First": "Åse", "Last": "Prøve"} == loaded.to_theirs(["worker"])(struct(worker="Åse Prøve"))
    assert (None, {}) == (loaded.to_ours({}).worker, loaded.to_theirs(["worker"])(struct()))


def test_every_converter_is_in_the_table_and_in_these_tests():
    told = set(re.findall(r"^(\w+(?:, \w+)*)  ", converters.__doc__, re.MULTILINE))
    names = {name for entry in told for name in entry.split(", ")}
    assert set(converters.CONVERTERS) == names
    assert set(converters.CONVERTERS) == {made.name for made, _ in OURS}
