"""CPR, CVR and P-numbers: what is one, what is refused, and that nothing is repaired on the way."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.dk import cpr as oracle

from samspil.errors import Refused
from samspil.identifiers import cpr_birth_date, cpr_checksum_ok, cpr_kind, cvr, p_number

DATES = st.dates(date(2037, 1, 1), date(2057, 12, 31))  # nobody has been born then
TAILS = st.integers(0, 999).map("{:03}".format)
LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
DIGITS = st.text("0123456789", min_size=10, max_size=10)


def number(born, century, tail, plus=0):
    return f"{born.day + plus:02}{born:%m%y}{century}{tail}"


def accepted(rule, text):
    try:
        return rule(text) == text
    except Refused:
        return False


@given(DATES, st.sampled_from("5678"), TAILS)
def test_a_date_that_exists_makes_an_ordinary_number(born, century, tail):
    assert cpr_kind(number(born, century, tail)) == "ordinary"
    assert born == cpr_birth_date(number(born, century, tail))


@given(DATES, st.sampled_from("5678"), TAILS)
def test_sixty_added_to_the_day_makes_a_municipality_s_replacement_number(born, century, tail):
    replacement = number(born, century, tail, plus=60)

    assert cpr_kind(replacement) == "municipal-replacement"
    assert born == cpr_birth_date(replacement)


@given(DATES, st.sampled_from("67"), LETTERS, st.integers(0, 9))
def test_two_letters_make_a_health_service_s_replacement_number(born, century, letters, last):
    replacement = number(born, century, f"{letters}{last}")

    assert cpr_kind(replacement) == "health-replacement"
    assert born == cpr_birth_date(replacement)
    assert cpr_checksum_ok(replacement)


@given(DATES, st.sampled_from("23489"), LETTERS)
def test_letters_with_another_seventh_digit_are_refused(born, century, letters):
    with pytest.raises(Refused, match=r"^bad-cpr$"):
        cpr_kind(number(born, century, letters + "1"))


@given(DIGITS)
def test_any_ten_digits_are_judged_as_the_oracle_judges_them(digits):
    """stdnum has no replacement numbers, so it is asked about the day without the 60 added."""
    plain = f"{(int(digits[:2]) - 60) % 100:02}{digits[2:]}" if "61" <= digits[:2] <= "91" else digits
    assume(digits != "0000000000")
    try:
        born = oracle.get_birth_date(plain)
    except oracle.InvalidComponent:
        born = None

    if born is None:
        with pytest.raises(Refused, match=r"^bad-cpr$"):
            cpr_kind(digits)
    else:
        assert born == cpr_birth_date(digits)
        assert cpr_kind(digits) == ("ordinary" if plain == digits else "municipal-replacement")


@given(DIGITS)
def test_modulus_11_is_the_oracle_s_and_never_a_reason_to_refuse(digits):
    assert (oracle.checksum(digits) == 0) == cpr_checksum_ok(digits)


@given(st.text(max_size=12))
def test_other_text_is_refused_without_being_shown(text):
    assume(not re.fullmatch(r"[0-9]{9,10}|[0-9]{6}[015-7][A-Z]{2}[0-9]", text))
    with pytest.raises(Refused) as caught:
        cpr_kind(text)

    assert str(caught.value) == "bad-cpr"


@given(DATES, TAILS)
def test_nine_digits_are_a_lost_zero_and_not_repaired(born, tail):
    assume(born.day < 10)
    with pytest.raises(Refused) as caught:
        cpr_kind(number(born, 5, tail)[1:])

    assert caught.value.reason == "cpr-lost-zero"
    assert not re.search("[0-9]", str(caught.value))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2902405001", "ordinary"),  # 2040 is a leap year
        ("8902405001", "municipal-replacement"),
        ("2902406AB1", "health-replacement"),
        ("0000000000", "unknown-person"),
    ],
)
def test_the_twenty_ninth_of_february_exists_in_leap_years(text, kind):
    assert cpr_kind(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "2902415001",  # 2041 is no leap year
        "8902415001",
        "2902416AB1",
        "2902000001",  # 1900 was none, although 2000 was
        "3002405001",
        "6002405001",
        "9202405001",
        "0100405001",
        "0113405001",
        "010140-5001",
        " 0101405001",
        "0101405001\n",
        "0101406ab1",
        "6101406AB1",  # a health number has no 60 added
        "٠١٠١٤٠٥٠٠١",
        "",
    ],
)
def test_what_is_no_cpr_number_is_refused(text):
    with pytest.raises(Refused, match=r"^bad-cpr$"):
        cpr_kind(text)


@pytest.mark.parametrize(
    ("century", "year", "born"),
    [
        ("0", "99", 1999),
        ("3", "00", 1900),
        ("4", "36", 2036),
        ("4", "37", 1937),
        ("9", "36", 2036),
        ("9", "37", 1937),
        ("5", "57", 2057),
        ("8", "58", 1858),
    ],
)
def test_the_seventh_digit_tells_the_century(century, year, born):
    """With day + 60, so that no example can be a registered person's number."""
    assert cpr_birth_date(f"6101{year}{century}123") == date(born, 1, 1)


@pytest.mark.parametrize(
    ("year", "century", "born"),
    [("00", "0", 1900), ("00", "1", 1900), ("40", "5", 1840), ("40", "6", 2040), ("40", "7", 2040)],
)
def test_the_health_service_has_centuries_of_its_own(year, century, born):
    """Born in 1900 or before, or not yet: nobody alive has such a number."""
    assert cpr_birth_date(f"0101{year}{century}AB1") == date(born, 1, 1)


def test_the_unknown_person_has_no_birth_date():
    assert cpr_birth_date("0000000000") is None


@given(st.integers(90_000_000, 99_999_999).map(str))
def test_a_cvr_number_is_one_where_modulus_11_fits(text):
    fits = sum(weight * int(digit) for weight, digit in zip((2, 7, 6, 5, 4, 3, 2, 1), text, strict=True)) % 11 == 0

    assert fits == accepted(cvr, text)


@pytest.mark.parametrize(
    "text", ["DK99999993", "99 99 99 93", "9999999", "09999999", "99999994", "\uff19" * 7 + "\uff13", ""]
)
def test_what_is_no_cvr_number_is_refused_and_not_repaired(text):
    with pytest.raises(Refused, match=r"^bad-cvr$"):
        cvr(text)


def test_a_p_number_is_ten_digits_as_they_are():
    assert p_number("1003730001") == "1003730001"
    for text in ("0003730001", "100373000", "10037300011", "1003730001\n", "P003730001"):
        with pytest.raises(Refused, match=r"^bad-p-number$"):
            p_number(text)
