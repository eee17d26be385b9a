"""What the overview says of certificates that run out: which system, which file, when and what to do."""

import re
from pathlib import Path

import pytest

from samspil import expiry
from samspil.agreement import load_municipality
from samspil.airflow.pages.content import overview_page
from samspil.airflow.pages.municipalities import Listed
from samspil.airflow.pages.words import Words
from samspil.store import expiries
from samspil.store.expiries import Expiring
from schemas import SCHEMAS

FOLDER = Path(__file__).parent.parent.parent.parent / "dags" / "municipalities"
LISTED = Listed("randers", load_municipality(FOLDER / "randers.yaml", SCHEMAS))
NOW, DAY = 1_790_000_000.0, 86400.0  # 21 September 2026


@pytest.fixture
def said(store, store_url, monkeypatch):
    """What the overview says of expiries that a check noted, in a language."""
    monkeypatch.setenv("SAMSPIL_STORE", store_url)

    def overview(*found, code="en", municipality="730"):
        with store.transaction() as connection:
            for system in {one.system for one in found}:
                expiries.note(connection, municipality, system, [one for one in found if one.system == system])
        html = overview_page([LISTED], Words(code), NOW)
        parts = re.findall(r'<div class="step (\w+)">(.*?)</div>', html, re.DOTALL)
        return [(level, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()) for level, text in parts]

    return overview


def expiring(days, system="star", setting="certificate", file="/etc/samspil/star.p12"):
    return Expiring(system, setting, file, NOW + days * DAY, NOW - DAY / 2)


def test_in_english_it_says_what_when_and_what_to_do(said):
    ((level, text),) = said(expiring(12.5))
    assert "held" == level
    assert text == (
        "star : our certificate /etc/samspil/star.p12 runs out on 4 Oct 2026, in 12 days. Get a new file and put it "
        "in the same place. Seen by the check of 21 Sep 04:13; check again: samspil check randers"
    )


def test_in_danish_too(said):
    ((_, text),) = said(expiring(12.5), code="da")
    assert text.startswith(
        "star : vores certifikat /etc/samspil/star.p12 udløber 4. okt 2026, om 12 dage. Skaf en ny fil"
    )


def test_what_has_run_out_comes_first_and_as_urgent(said):
    found = said(expiring(0.5, "jobcenter"), expiring(-1), expiring(20, "journal", "crl", "/etc/samspil/crl"))
    assert [("stopped", "star"), ("held", "jobcenter"), ("held", "journal")] == [
        (level, text.split()[0]) for level, text in found
    ]
    assert "ran out on 20 Sep 2026: no connection is made" in found[0][1]
    assert "within a day" in found[1][1]
    assert "the revocation list" in found[2][1]


def test_nothing_is_said_of_what_was_renewed_of_another_municipality_or_of_a_system_no_longer_there(said, store):
    said(expiring(12))
    with store.transaction() as connection:
        expiries.note(connection, "730", "star", [])
    assert [] == said()
    assert [] == said(expiring(12, "gone"))
    assert [] == said(expiring(12), municipality="760")


@pytest.mark.parametrize("code", ["da", "en"])
def test_there_are_words_for_everything_that_can_run_out(said, code):
    settings = list(expiry.SETTINGS)
    found = said(*(expiring(days, setting=setting) for days, setting in enumerate(settings, 2)), code=code)
    assert len(settings) == len({text.split("/etc")[0] for _, text in found}) > 4
