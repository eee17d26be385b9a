import pytest

from samspil import mapping
from samspil.connector import Field
from samspil.errors import SettingsError

GROUP = 'values: {"2.2": "2", "2.3": "3", "9": "9", "12": "12"}'

WRONG = [
    # what is exchanged in the file · line · what the error says
    ("ours: id}\n  - {theirs: Borger.CPR", "ours: idd}\n  - {theirs: Borger.CPR", 3, "the shared schema has no idd"),
    ("theirs: BestillingId", "theirs: BestillingsId", 3, "the contract has no BestillingsId"),
    ("as: cpr", "as: cprr", 4, "there is no converter 'cprr'"),
    ("as: cpr", "as: {cpr: {repair: true}}", 4, "cpr has no option 'repair'"),
    ("as: cpr", "as: date", 4, "date makes date, and cpr is str"),
    ("as: cpr", "as: {}", 4, "`as` names exactly one converter"),
    ("dd-mm-yyyy", "dd-mm-yy", 10, "date has a format of dd, mm, yyyy"),
    ("as: name_parts", "as: text", 5, "text maps 1 of theirs to 1 of ours"),
    ("as: name_parts", "as: {name_parts: backwards}", 5, "order given_first or family_first"),
    ("list: group", "list: grupper", 8, "there is no code list 'grupper'"),
    ("list: group", "list: status", 8, "group has the code list group, not status"),
    (GROUP, 'values: {"2.2": "2", "2.9": "4"}', 8, "'4' is not in the code list group"),
    (GROUP, 'values: {"2.2": "2", "2.3": "2"}', 8, "two of their codes are the same code of ours"),
    (GROUP, "values: {2.2: 2}", 8, "must be text: write it in quotes"),
    (", as: {code: {list: group, " + GROUP + "}}", "", 8, "group is a code of the list group; write `as: code`"),
    ("theirs: Periode.Slut, ours: end", "theirs: Periode.Slut, ours: start", 10, "ours: start is mapped already"),
    ("theirs: Periode.Slut", "theirs: Periode.Start", 10, "theirs: Periode.Start is mapped already"),
    ("theirs: InternNote", "theirs: Timer", 22, "theirs: Timer is mapped already"),
    (
        "  - {theirs: InternNote, why: no legal basis to pass it on}\n",
        "",
        2,
        "InternNote is neither mapped nor declared",
    ),
    ('  - {theirs: "Maal.Element[].Farve", why: says nothing}\n', "", 2, "Element[].Farve is neither mapped nor"),
    ("  - {ours: price_package, why: the system has no field for it}\n", "", 2, "price_package is neither mapped nor"),
    ("      - {theirs: Id, ours: id}\n", "", 2, "Maal.Element[].Id is neither mapped nor"),
    ("  - {theirs: Kilde.System, constant: samspil}\n", "", 2, "Kilde.System is neither mapped nor"),
    ("why: says nothing", 'why: ""', 23, "length >= 3"),
    ("theirs: InternNote, why", "theirs: InternNote, ours: end, why", 22, "either `theirs` or `ours`"),
    ("theirs: Maal.Element[]\n", "theirs: Maal.Element\n", 14, "Maal.Element is written Maal.Element[]"),
    ("theirs: BestillingId, ours: id", "theirs: Borger, ours: id", 3, "has fields of its own; map those"),
    ('"Deltager[]", ours: "participants[]"', '"Deltager[]", ours: price_package', 13, "only be mapped to a list"),
    (
        "{theirs: Kilde.System, constant",
        "{theirs: Kilde.System, ours: end, constant",
        20,
        "has one `theirs` and nothing",
    ),
    ("{theirs: BestillingId, ours: id}", "{theirs: BestillingId}", 3, "`ours` is missing"),
    ("record: Bestilling\n", "", 1, "needs `record`"),
    ("ours: id}", "ours: id, when: always}", 3, "unknown field `when`"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_file_is_refused_at_its_line(workshop, rows, old, new, line, message):
    with pytest.raises(SettingsError) as caught:
        workshop.edited(old, new)
    assert message in str(caught.value)
    assert line == caught.value.line
    assert str(workshop.folder / "system" / "order.yaml") == caught.value.file


def test_a_new_field_in_the_contract_stops_the_load(workshop, fields):
    with pytest.raises(SettingsError, match=r"theirs: Borger\.Tlf is neither mapped nor declared lost"):
        workshop.load(fields=fields | {"Borger.Tlf": Field(required=False)})


TIMER = "  - {theirs: Timer, ours: hours, as: decimal_comma}\n"


def test_a_field_required_to_write_cannot_be_lost_by_a_system_that_takes_the_record(workshop, rows):
    lost = rows.replace(TIMER, "").replace(
        "lost:\n", "lost:\n  - {ours: hours, why: test}\n  - {theirs: Timer, why: test}\n"
    )
    with pytest.raises(SettingsError, match="theirs: Timer is required to write"):
        workshop.load(lost, directions=("to_theirs",))
    with pytest.raises(SettingsError, match="ours: hours is required to read"):
        workshop.load(lost, directions=("to_ours",))


def test_what_is_required_only_for_the_other_direction_may_be_lost(workshop, rows, fields):
    lost = rows.replace(TIMER, "").replace(
        "lost:\n", "lost:\n  - {ours: hours, why: test}\n  - {theirs: Timer, why: test}\n"
    )
    loaded = workshop.load(lost, directions=("to_theirs",), fields=fields | {"Timer": Field(required=False)})
    assert {"Timer", "hours"} <= {node.path for _, node, _ in loaded.resolution.lost}


def test_a_lost_container_loses_what_is_in_it(workshop, rows):
    text = rows.replace("  - {theirs: Borger.Adresse.Vej, ours: address.street}\n", "").replace(
        "  - {theirs: Borger.Adresse.By, ours: address.city}\n", ""
    )
    text = text.replace("lost:\n", "lost:\n  - {theirs: Borger.Adresse, why: test}\n  - {ours: address, why: test}\n")
    assert 3 + 2 == len(workshop.load(text).resolution.lost)


def test_a_direction_that_was_not_loaded_is_not_there(workshop):
    loaded = workshop.load(directions=("to_theirs",))
    with pytest.raises(SettingsError, match="was not loaded to_ours"):
        loaded.to_ours  # noqa: B018  # the property raises


def test_an_unknown_direction_is_refused(workshop):
    with pytest.raises(SettingsError, match="directions are to_ours and to_theirs"):
        workshop.load(directions=("read",))


def test_a_missing_file_is_refused(workshop, fields, order):
    with pytest.raises(SettingsError, match="cannot be read"):
        mapping.load("system", "other", fields=fields, struct=order, folder=workshop.folder)


def test_a_municipality_replaces_rows_of_its_own(workshop, changed):
    workshop.write("rows:\n  - {theirs: Timer, ours: hours, as: hours_minutes}\n", "730")
    assert "7.40" == str(workshop.load(municipality="730").to_ours(changed("Timer", "07:24")).hours)
    assert "7.40" == str(workshop.load(municipality="760").to_ours(changed("Timer", "7,40")).hours)


def test_a_municipality_can_map_what_others_lose_and_lose_what_others_map(workshop, changed):
    workshop.write(
        "rows:\n  - {theirs: InternNote, ours: price_package}\n"
        "lost:\n  - {theirs: Borger.Navn, why: not here}\n  - {ours: given_names, why: not here}\n"
        "  - {ours: family_name, why: not here}\n",
        "730",
    )
    ours = workshop.load(municipality="730").to_ours(changed("InternNote", "A"))
    assert ("A", None, None) == (ours.price_package, ours.given_names, ours.family_name)


def test_a_municipality_row_that_replaces_nothing_is_refused_in_its_own_file(workshop):
    own = workshop.write("rows:\n  - {theirs: Timeer, ours: hours, as: hours_minutes}\n", "730")
    with pytest.raises(SettingsError, match="replaces nothing: the system's file has no Timeer") as caught:
        workshop.load(municipality="730")
    assert (str(own), 2) == (caught.value.file, caught.value.line)


def test_a_municipality_row_is_checked_in_its_own_file(workshop):
    own = workshop.write("rows:\n  - {theirs: Timer, ours: hours, as: hour}\n", "730")
    with pytest.raises(SettingsError, match="no converter 'hour'") as caught:
        workshop.load(municipality="730")
    assert str(own) == caught.value.file
