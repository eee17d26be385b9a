"""What STAR holds, seen through its answers."""

import pytest

from connectors.star.message import Request, StarFault
from connectors.star.register import Register

CPR = "6101371234"  # a municipality's replacement number: nobody's
RANDERS, AARHUS = "73001", "75101"


@pytest.fixture
def register():
    return Register([CPR])


def activity(**changed):
    fields = {
        "ExternalIdentifier": "AKT1",
        "PersonCivilRegistrationIdentifier": CPR,
        "ActivationTypeIdentifier": {"CodeListItemIdentifier": "30"},
        "StartDate": "2026-01-05",
    }
    return fields | changed


def ask(register, operation, organisation=RANDERS, **body):
    return register.answer(Request(operation, organisation, body))


def code_of(*arguments, **keywords):
    with pytest.raises(StarFault) as caught:
        ask(*arguments, **keywords)
    return caught.value.code


def test_an_activity_lives_from_create_to_delete(register):
    key = ask(register, "CreateActivity", Activity=activity())["ActivityIdentifier"]
    receipt = ask(register, "UpdateActivity", ActivityIdentifier=key, Activity=activity(HoursPerWeek="12"))
    held = ask(register, "GetActivity", ExternalIdentifier="AKT1")

    assert {"Registered": receipt, "Activity": activity(HoursPerWeek="12")} == held
    ask(register, "DeleteActivity", ActivityIdentifier=key)
    assert ask(register, "GetActivity", ActivityIdentifier=key) == {}


def test_an_external_id_is_registered_once_per_organisation(register):
    ask(register, "CreateActivity", Activity=activity())
    ask(register, "CreateActivity", AARHUS, Activity=activity())

    assert code_of(register, "CreateActivity", Activity=activity()) == 1015


def test_another_organisation_has_no_access(register):
    key = ask(register, "CreateActivity", Activity=activity())["ActivityIdentifier"]

    assert code_of(register, "GetActivity", AARHUS, ActivityIdentifier=key) == 4922
    assert code_of(register, "DeleteActivity", AARHUS, ActivityIdentifier=key) == 4922


def test_deleting_twice_is_deleting_once(register):
    key = ask(register, "CreateActivity", Activity=activity())["ActivityIdentifier"]

    assert [key, key] == [
        ask(register, "DeleteActivity", ActivityIdentifier=key)["ActivityIdentifier"] for _ in range(2)
    ]


def test_the_number_of_nobody_is_unknown(register):
    nobody = activity(PersonCivilRegistrationIdentifier="0000000000")

    assert code_of(register, "CreateActivity", Activity=nobody) == 1010


@pytest.mark.parametrize(
    ("code", "start", "fault"),
    [("99", "2026-01-05", 2002), ("35", "2022-01-01", 2003), ("35", "2013-12-31", 2003)],
)
def test_a_code_is_valid_on_its_dates_only(register, code, start, fault):
    wrong = activity(ActivationTypeIdentifier={"CodeListItemIdentifier": code}, StartDate=start)

    assert fault == code_of(register, "CreateActivity", Activity=wrong)


@pytest.mark.parametrize("start", ["2014-01-01", "2021-12-31"])
def test_a_codes_first_day_counts_and_its_end_does_not(register, start):
    right = activity(ActivationTypeIdentifier={"CodeListItemIdentifier": "35"}, StartDate=start)

    assert ask(register, "CreateActivity", Activity=right)["ActivityIdentifier"]


def test_a_period_that_ends_before_it_starts_is_invalid(register):
    assert code_of(register, "CreateActivity", Activity=activity(EndDate="2026-01-04")) == 1014


def test_expired_codes_stay_listed(register):
    listed = ask(register, "GetCodeList", CodeListName="ActivationType")["CodeListItem"]

    assert {item["CodeListItemIdentifier"]: item["EndDate"] for item in listed if "EndDate" in item} == {
        "35": "2022-01-01"
    }
    assert code_of(register, "GetCodeList", CodeListName="Activationtype") == 2001
