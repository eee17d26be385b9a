"""Each thing wrong with a municipality's file is refused at its file, line and field."""

from __future__ import annotations

import pytest

from samspil.agreement import load_municipality
from samspil.errors import SettingsError
from schemas import SCHEMAS

FLOW = "agreements[0].flows[0]"
REFUSED = [  # what stands in the good file, what stands there instead, the field named, some words of the message
    ('code: "730"', "code: 730", "municipality.code", "three digits"),
    ('code: "730"', 'code: "73"', "municipality.code", "three digits"),
    ('cvr: "29189668"', 'cvr: "29189669"', "municipality.cvr", "CVR"),
    ("pool_slots: 2", "pool_slots: 0", "systems.journal.pool_slots", "at least 1"),
    ("connection: randers_star", "connection: randers_journal", "systems.star.connection", "same system as journal"),
    ("connector: star", "connector: Star", "systems.star.connector", "regex"),
    ('schedule: "0 2 * * *"', 'schedule: "0 2 * *"', "schedule", "five fields"),
    ('schedule: "0 2 * * *"', 'schedule: "0 25 * * *"', "schedule", "0-23"),
    ('deadline: "06:00"', 'deadline: "24:00"', "deadline", "HH:MM"),
    ('deadline: "06:00"', "deadline: 10:00", "deadline", "in quotes"),
    ("name: national", "name: stu", "agreements[1].name", "another agreement"),
    ("between: [jobcenter, star]", "between: [jobcenter, moon]", "agreements[1].between[1]", "unknown system moon"),
    ("between: [jobcenter, star]", "between: [star, star]", "agreements[1].between", "same system twice"),
    ("between: [jobcenter, star]", "between: [star]", "agreements[1].between", "two systems"),
    ("    purpose: reporting\n", "", "agreements[1]", "`purpose`"),
    ("    legal_basis: another act\n", "", "agreements[1]", "`legal_basis`"),
    ("purpose: reporting", 'purpose: " "', "agreements[1].purpose", "used for"),
    ("legal_basis: another act", 'legal_basis: ""', "agreements[1].legal_basis", "act and the section"),
    ("schema: course_order", "schema: course_ordre", f"{FLOW}.schema", "unknown schema"),
    ("to: journal\n", "to: moon\n", f"{FLOW}.to", "unknown system"),
    ("from: journal\n", "from: moon\n", "agreements[0].flows[1].from", "unknown system"),
    ("to: journal\n", "to: star\n", f"{FLOW}.to", "not a party"),
    ("to: journal\n", "to: jobcenter\n", f"{FLOW}.to", "same system twice"),
    ("rhythm: nightly", "rhythm: hourly", f"{FLOW}.rhythm", "nightly, weekly, monthly or on-change"),
    (
        "protected_addresses: sent",
        "protected_addresses: open",
        "agreements[0].flows[1].protected_addresses",
        "withheld",
    ),
    ("provider, start, consent]", "provider, colour]", f"{FLOW}.fields.jobcenter[3]", "no field colour"),
    ("provider, start, consent]", "provider, cpr]", f"{FLOW}.fields.jobcenter[3]", "listed twice"),
    ("          journal: [id,", "          star: [id,", "agreements[0].flows[1].fields.star", "not a party"),
    ("journal: [id, date,", "journal: [cpr, id, date,", "agreements[0].flows[1].fields.journal[0]", "listed twice"),
    (
        "jobcenter: [cpr, order_id]",
        "jobcenter: [cpr, date]",
        "agreements[0].flows[1].fields.jobcenter[1]",
        "cannot send",
    ),
    ("{jobcenter: [id, cpr, kind]}", "{jobcenter: []}", "agreements[1].flows[0].fields", "lists no field"),
    ("only: {provider:", "only: {giver:", f"{FLOW}.only.giver", "no such field"),
    ("consent: [true]}", "consent: [yes please]}", f"{FLOW}.only.consent[0]", "can never match"),
    ('["1003730001"]', "[1003730001]", f"{FLOW}.only.provider[0]", "can never match"),
    ('["1003730001"]', "[]", f"{FLOW}.only.provider", "length"),
    ("changes: 20", "changes: 120", f"{FLOW}.guard.changes", "0 to 100"),
    ("changes: 20", "changes: -1", f"{FLOW}.guard.changes", "0 to 100"),
    ("[jobcenter-course_order-journal]", "[a-b-c]", "agreements[0].flows[1].after[0]", "unknown flow"),
    ("guard: {changes: 20}", "after: [journal-attendance-jobcenter]", f"{FLOW}.after", "circle"),
    ("rhythm: monthly", "rhythm: monthly\n        colour: red", "agreements[1].flows[0]", "unknown field `colour`"),
    ("rhythm: monthly", "rhythm: monthly\n        rhythm: weekly", "agreements[1].flows[0].rhythm", "given twice"),
]


ELSEWHERE = {  # field named → the line it stands in, where that is not the changed line
    "agreements[1]": "  - name: national",
    "agreements[1].flows[0]": "      - schema: activity",
}


@pytest.mark.parametrize(("old", "new", "field", "said"), REFUSED)
def test_it_is_refused_at_its_file_line_and_field(old, new, field, said, write, good, changed):
    text = changed(old, new)
    path = write(text)
    with pytest.raises(SettingsError) as caught:
        load_municipality(path, SCHEMAS)
    lines = text.splitlines()
    line = 1 + next(i for i, (now, before) in enumerate(zip(lines, good.splitlines(), strict=False)) if now != before)
    if field in ELSEWHERE:
        line = 1 + lines.index(ELSEWHERE[field])
    error = caught.value
    assert (str(path), line, field) == (error.file, error.line, error.field)
    assert said in str(error)


def test_a_flow_in_two_agreements_has_two_purposes_and_is_refused(write, good):
    again = good[good.index("  - name: stu") : good.index("  - name: national")].replace("name: stu", "name: again")
    with pytest.raises(SettingsError, match=r"is already in line 14") as caught:
        load_municipality(write(good + again), SCHEMAS)
    assert caught.value.field == "agreements[2].flows[0]"


def test_a_field_has_one_owner_in_an_agreement(write, changed):
    """The jobcenter owns the order's dates; the centre may not send them back as its own."""
    back = """\
      - schema: course_order
        from: journal
        to: jobcenter
        rhythm: nightly
        fields: {journal: [id, start]}
"""
    with pytest.raises(SettingsError, match="another owner") as caught:
        load_municipality(write(changed("  - name: national\n", f"{back}  - name: national\n")), SCHEMAS)
    assert caught.value.field == "agreements[0].flows[2].fields.journal[1]"
    assert caught.value.line > 0


BOTH = """\
  - name: meetings
    between: [jobcenter, journal]
    purpose: meetings
    legal_basis: an act
    flows:
      - schema: meeting
        from: jobcenter
        to: journal
        rhythm: nightly
        fields: {jobcenter: [id, cpr, kind, held_at], journal: [minutes]}
      - schema: meeting
        from: journal
        to: jobcenter
        rhythm: nightly
        fields: {journal: [id, minutes], jobcenter: [cpr, kind, held_at]}
"""


def test_a_schema_may_go_both_ways_with_one_owner_for_each_field(write, good):
    out, back = load_municipality(write(good + BOTH), SCHEMAS).flows[-2:]
    owners = {"cpr": "jobcenter", "kind": "jobcenter", "held_at": "jobcenter", "minutes": "journal"}
    for flow, other in ((out, back), (back, out)):
        assert flow.two_way.opposite == other.name
        assert {name: owner for name, owner in flow.two_way.owners.items() if name != "id"} == owners
        assert flow.fields_written == {"id", *owners}
    assert all(flow.two_way is None for flow in load_municipality(write(good), SCHEMAS).flows)


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        (
            "[id, minutes], jobcenter: [cpr,",
            "[id, minutes, cpr], jobcenter: [",
            "1].fields.journal[2]",
            "another owner",
        ),
        ("[id, minutes], jobcenter", "[minutes], jobcenter", "1].fields", "list id"),
        ("journal: [id, minutes]", "journal: [id]", "0].fields.journal[0]", "does not send it"),
        (", held_at]", "]", "0].fields", "list held_at"),
    ],
)
def test_what_cannot_go_both_ways_is_refused_at_its_line(write, good, old, new, field, said):
    text = (good + BOTH).replace(old, new)
    with pytest.raises(SettingsError, match=said) as caught:
        load_municipality(write(text), SCHEMAS)
    assert caught.value.field == f"agreements[2].flows[{field}"
    assert caught.value.line > good.count("\n")


def test_a_name_is_no_reference_and_only_its_owner_sends_it(write, changed):
    text = changed("jobcenter: [id, cpr, provider,", "journal: [family_name]\n          jobcenter: [id, cpr, provider,")
    with pytest.raises(SettingsError, match="cannot send field family_name"):
        load_municipality(write(text), SCHEMAS)
