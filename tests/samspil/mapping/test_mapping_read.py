import linecache
from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
import pytest

from samspil.connector import Field
from samspil.errors import Refused

REFUSED = [
    # what is changed in the record · the reason · the field
    (("BestillingId",), "missing-field", "BestillingId"),
    (("BestillingId", None), "missing-field", "BestillingId"),
    (("BestillingId", 7), "wrong-type", "BestillingId"),
    (("BestillingId", "12345678901"), "too-long", "BestillingId"),
    (("BestillingId", ""), "not-valid", "BestillingId"),
    (("Borger",), "missing-field", "Borger.CPR"),
    (("Borger", "6101800017"), "wrong-type", "Borger"),
    (("Borger.CPR", "6101"), "bad-cpr", "Borger.CPR"),
    (("Borger.CPR", "610180001"), "cpr-lost-zero", "Borger.CPR"),
    (("Borger.CPR", 610180001), "cpr-lost-zero", "Borger.CPR"),
    (("Borger.CPR", 6101800017), "wrong-type", "Borger.CPR"),
    (("Borger.Navn", "Prøve"), "bad-name", "Borger.Navn"),
    (("Borger.Adresse.By",), "missing-field", "Borger.Adresse.By"),
    (("Borger.Mellemnavn", "Marie"), "unknown-field", "Borger.Mellemnavn"),
    (("6101800017", "x"), "unknown-field", "*"),
    (("Borger.p6101800017", "x"), "unknown-field", "Borger.*"),
    (("Gruppe", "7.7"), "unknown-code", "Gruppe"),
    (("Gruppe", ["2.2"]), "wrong-type", "Gruppe"),
    (("Gruppe", "12"), "expired-code", "Gruppe"),  # not valid yet on the first day
    (("Maal.Element.0.Status", "new"), "expired-code", "Maal.Element[].Status"),
    (("Maal.Element.1.Status", "old"), "unknown-code", "Maal.Element[].Status"),
    (("Maal.Element.1.Titel", "x" * 21), "too-long", "Maal.Element[].Titel"),
    (("Maal.Element.1.Id",), "missing-field", "Maal.Element[].Id"),
    (("Maal.Element.1.Prioritet", "1"), "unknown-field", "Maal.Element[].Prioritet"),
    (("Maal.Element", [{"Id": "1", "Titel": "t", "Status": "open"}] * 4), "too-long", "Maal.Element[]"),
    (("Maal.Element", {"Id": "1", "Titel": "t", "Status": "open"}), "wrong-type", "Maal.Element[]"),
    (("Maal.Element.0", "x"), "wrong-type", "Maal.Element[]"),
    (("Deltager", "Bo"), "wrong-type", "Deltager[]"),
    (("Deltager.0", 1), "wrong-type", "Deltager[]"),
    (("Deltager.0", None), "wrong-type", "Deltager[]"),
    (("Periode.Start", "01-02-2026"), "bad-date", "Periode.Start"),
    (("Periode.Start", "2026-02-30"), "bad-date", "Periode.Start"),
    (("Periode.Slut", "2026-08-31"), "bad-date", "Periode.Slut"),
    (("Periode.Slut", "01-01-2026"), "not-valid", "Periode.Slut"),  # before the start: a rule of the struct
    (("Timer", "37.00"), "bad-number", "Timer"),
    (("Timer", "NaN"), "bad-number", "Timer"),
    (("Timer", 37), "wrong-type", "Timer"),
    (("Bestilt", "2026-01-15T10:00:00"), "bad-date", "Bestilt"),
]


@pytest.mark.parametrize(("change", "reason", "field"), REFUSED, ids=[f"{c[0]}-{r}" for c, r, _ in REFUSED])
def test_a_record_that_does_not_pass_is_refused_with_its_field(workshop, changed, change, reason, field):
    with pytest.raises(Refused) as caught:
        workshop.load().to_ours(changed(*change))
    assert (reason, field) == (caught.value.reason, caught.value.field)


@pytest.mark.parametrize(("change", "reason", "field"), REFUSED, ids=[f"{c[0]}-{r}" for c, r, _ in REFUSED])
def test_a_refusal_carries_no_value_of_the_record(workshop, changed, change, reason, field):
    with pytest.raises(Refused) as caught:
        workshop.load().to_ours(changed(*change))
    assert None is caught.value.__context__
    assert not (change[1:] and len(str(change[1])) > 2 and str(change[1]) in str(caught.value))


@pytest.mark.parametrize("record", [None, "x", [], 1])
def test_what_is_no_record_is_refused(workshop, record):
    with pytest.raises(Refused, match="wrong-type"):
        workshop.load().to_ours(record)


def test_a_record_becomes_a_typed_struct(workshop, order, changed):
    ours = workshop.load().to_ours(changed())
    assert order is type(ours)
    assert date(2026, 2, 1) == ours.start
    assert date(2026, 8, 31) == ours.end
    assert (Decimal("37.00"), "37.00") == (ours.hours, str(ours.hours))
    assert ("2", "Åse Marie", "Prøve", "Øvej 1") == (
        ours.group,
        ours.given_names,
        ours.family_name,
        ours.address.street,
    )
    assert ["open", "done"] == [goal.status for goal in ours.goals]
    assert ["Bo", "Ib"] == ours.participants


@pytest.mark.parametrize("nothing", [..., None])
def test_absent_and_null_are_the_same(workshop, changed, nothing):
    read = workshop.load().to_ours
    assert read(changed("Periode.Slut", nothing)).end is None
    assert read(changed("Borger.Adresse", nothing)).address is None
    assert [] == read(changed("Maal", nothing)).goals
    assert [] == read(changed("Deltager", nothing)).participants


def test_a_lost_field_is_left_behind(workshop, changed):
    assert workshop.load().to_ours(changed("InternNote", "secret")) == workshop.load().to_ours(changed())


def test_a_code_is_judged_on_the_day_the_schema_names(workshop, changed):
    """Group 9 ended in June: an order that began before passes, though the code is not valid today."""
    read = workshop.load().to_ours
    assert "9" == read(changed("Gruppe", "9")).group
    late = changed("Gruppe", "9")
    late["Periode"] = {"Start": "2026-06-01"}
    with pytest.raises(Refused, match="expired-code"):
        read(late)
    late["Gruppe"] = "12"
    assert "12" == read(late).group


def test_a_code_without_such_a_day_is_judged_on_the_day_of_loading(workshop, changed, order, lists):
    undated = msgspec.defstruct(
        "Undated",
        [("group", Annotated[str, msgspec.Meta(extra={"code_list": "group", "valid_on": None})])],
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    text = "record: R\nrows:\n  - {theirs: G, ours: group, as: code}\n"
    for day, passes in ((date(2026, 5, 31), True), (date(2026, 6, 1), False)):
        read = workshop.load(text, fields={"G": Field(required=True)}, struct=undated, on=day).to_ours
        if passes:
            assert "9" == read({"G": "9"}).group
        else:
            with pytest.raises(Refused, match="expired-code: G"):
                read({"G": "9"})


def test_the_generated_source_is_found_by_a_traceback(workshop, changed):
    read = workshop.load().to_ours
    source = "".join(linecache.getlines(read.__code__.co_filename))
    assert "def to_ours(record):" in source
    assert "mapping system/order to_ours" in read.__code__.co_filename


def test_names_in_a_mapping_file_cannot_become_code(workshop, order):
    small = msgspec.defstruct("Small", [("id", Annotated[str, msgspec.Meta()])], frozen=True, kw_only=True)
    name = "x'] or abort() or r['"
    text = f'record: R\nrows:\n  - {{theirs: "{name}", ours: id}}\n  - {{theirs: "K", constant: "{name}"}}\n'
    loaded = workshop.load(text, fields={name: Field(required=True), "K": Field(required=False)}, struct=small)
    assert "1" == loaded.to_ours({name: "1"}).id
    assert {name: "1", "K": name} == loaded.to_theirs(["id"])(small(id="1"))
