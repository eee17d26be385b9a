from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from samspil.connector import Field
from samspil.errors import Refused, SettingsError

ALL = ["id", "cpr", "given_names", "family_name", "address", "group", "start", "end", "hours", "ordered_at"]
ALL += ["participants", "goals", "price_package"]


@pytest.fixture
def ours(workshop, changed) -> Any:
    return workshop.load().to_ours(changed())


def test_what_was_read_is_written_as_it_was(workshop, changed, ours):
    assert changed() == workshop.load().to_theirs(ALL)(ours)


def test_what_is_written_can_be_stored_as_json(workshop, changed, ours):
    written = workshop.load().to_theirs(ALL)(ours)
    assert written == msgspec.json.decode(msgspec.json.encode(written))


def test_keys_come_in_the_order_of_the_contract(workshop, rows, fields, ours):
    turned = dict(reversed(fields.items()))
    written = workshop.load(rows, fields=turned).to_theirs(ALL)(ours)
    assert ["Kilde", "Maal", "Deltager", "Bestilt", "Timer", "Periode", "Gruppe", "Borger", "BestillingId"] == list(
        written
    )
    assert ["Slut", "Start"] == list(written["Periode"])


def test_a_field_outside_the_agreement_is_not_in_the_function(workshop, ours):
    write = workshop.load().to_theirs(set(ALL) - {"address", "end", "goals"})
    written = write(ours)
    assert "Adresse" not in written["Borger"]
    assert {"Start": "2026-02-01"} == written["Periode"]
    assert "Maal" not in written
    names = {name for function in write.__globals__.values() for name in _names(function)} | _names(write)
    assert not names & {"address", "street", "end", "goals"}


def _names(function: Any) -> set[str]:
    code = getattr(function, "__code__", None)
    return set(code.co_names) if code is not None and "<mapping" in code.co_filename else set()


def test_half_of_a_joined_field_does_not_leave(workshop, ours):
    assert "Navn" not in workshop.load().to_theirs(set(ALL) - {"given_names"})(ours)["Borger"]


def test_a_protected_person_leaves_without_name_and_address(workshop, ours):
    written = workshop.load().to_theirs(ALL, protected=True)(ours)
    assert {"CPR": "6101800017"} == written["Borger"]


def test_an_agreement_that_lacks_what_the_system_requires_is_refused(workshop):
    with pytest.raises(SettingsError, match="Timer is required, and the agreement does not carry hours"):
        workshop.load().to_theirs(set(ALL) - {"hours"})


def test_protection_that_hides_what_the_system_requires_is_refused(workshop, fields):
    loaded = workshop.load(fields=fields | {"Borger.Navn": Field(required=True)})
    assert loaded.to_theirs(ALL)
    with pytest.raises(
        SettingsError, match=r"Borger\.Navn is required, and address protection hides family_name, given"
    ):
        loaded.to_theirs(ALL, protected=True)


def test_an_agreement_with_a_field_nobody_knows_is_refused(workshop):
    with pytest.raises(SettingsError, match="the shared schema has no field hourz"):
        workshop.load().to_theirs([*ALL, "hourz"])


def test_none_is_left_out_and_so_is_a_container_with_nothing_in_it(workshop, ours):
    bare = msgspec.structs.replace(ours, address=None, end=None, given_names=None, family_name=None)
    written = workshop.load().to_theirs(ALL)(bare)
    assert {"CPR": "6101800017"} == written["Borger"]
    assert {"Start": "2026-02-01"} == written["Periode"]


def test_an_empty_list_is_written(workshop, ours):
    written = workshop.load().to_theirs(ALL)(msgspec.structs.replace(ours, goals=[], participants=[]))
    assert ({"Element": []}, []) == (written["Maal"], written["Deltager"])


def test_a_record_without_what_the_system_requires_is_refused(workshop, fields, ours):
    write = workshop.load(fields=fields | {"Periode.Slut": Field(required=True)}).to_theirs(ALL)
    with pytest.raises(Refused) as caught:
        write(msgspec.structs.replace(ours, end=None))
    assert ("missing-field", "Periode.Slut", None) == (
        caught.value.reason,
        caught.value.field,
        caught.value.__context__,
    )


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"hours": Decimal("NaN")}, "bad-number", "Timer"),
        ({"group": "3.5"}, "unknown-code", "Gruppe"),
        ({"given_names": None}, "bad-name", "Borger.Navn"),
        ({"participants": 1}, "wrong-type", "Deltager[]"),
    ],
)
def test_a_value_that_cannot_be_written_is_refused(workshop, ours, change, reason, field):
    with pytest.raises(Refused) as caught:
        workshop.load().to_theirs(ALL)(msgspec.structs.replace(ours, **change))
    assert (reason, field) == (caught.value.reason, caught.value.field)


CONSTANTS = """\
record: R
rows:
  - {theirs: Id, ours: id}
  - {theirs: Note.Text, ours: text}
  - {theirs: Note.Source, constant: hub}
  - {theirs: Sender.Name, constant: hub}
  - {theirs: Seen, ours: seen, as: {timestamp: {zone: utc, digits: 3}}}
"""


def test_a_constant_goes_along_only_with_what_it_belongs_to(workshop):
    struct = msgspec.defstruct(
        "S", [("id", str), ("text", str | None, None), ("seen", datetime | None, None)], frozen=True, kw_only=True
    )
    contract = {name: Field(required=False) for name in ("Note.Text", "Note.Source", "Sender.Name", "Seen")}
    fields = {"Id": Field(required=True), **contract}
    write = workshop.load(CONSTANTS, fields=fields, struct=struct).to_theirs(["id", "text", "seen"])
    assert {"Id": "1", "Sender": {"Name": "hub"}} == write(struct(id="1"))
    assert {"Text": "t", "Source": "hub"} == write(struct(id="1", text="t"))["Note"]
    assert "2026-01-15T09:00:00.120Z" == write(struct(id="1", seen=datetime(2026, 1, 15, 9, 0, 0, 120999, UTC)))["Seen"]
