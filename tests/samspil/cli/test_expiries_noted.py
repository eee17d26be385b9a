"""What a check of a real sandbox finds to run out is noted for the pages, and by nobody who promised to write nothing."""

from datetime import timedelta
from pathlib import Path

import pytest

from samspil import flow as steps
from samspil.errors import AccessError
from samspil.hub import Hub
from samspil.store import expiries

TOWN = "ringkobing_skjern"


@pytest.fixture
def star(town_on_sqlite):
    return town_on_sqlite.sandboxes["star"]


def renew(star, left):
    """A certificate with so much life left, in the place of the one there is; its file."""
    file = Path(star.account.extra["certificate"])
    star.certificates.client(file.stem, "Kommunen", left=left)
    return str(file)


def check():
    with Hub.find(TOWN) as hub:
        return steps.check(hub, "star")


def known():
    with Hub.find(TOWN, write=False) as hub, hub.store.transaction() as connection:
        return [(one.system, one.setting, one.file) for one in expiries.known(connection, "760")]


def test_a_check_notes_what_runs_out_and_forgets_it_when_it_was_renewed(star):
    file = renew(star, timedelta(days=12))
    (found,) = check()
    assert [("star", "certificate", file)] == known()
    with Hub.find(TOWN, write=False) as hub, hub.store.transaction() as connection:
        assert found.ends.timestamp() == expiries.known(connection, "760")[0].ends
    renew(star, timedelta(days=300))
    assert [] == list(check())
    assert [] == known()


def test_one_that_has_run_out_is_noted_though_nobody_lets_us_in(star):
    file = renew(star, timedelta(days=-1))
    with pytest.raises(AccessError):
        check()
    assert [("star", "certificate", file)] == known()


def test_a_check_on_the_command_line_writes_nothing(star, samspil):
    with Hub.find(TOWN):
        renew(star, timedelta(days=12))
    assert "in 11 days" in samspil("check", TOWN).err
    assert [] == known()
