"""Changing the master key: on a real hub, while a run is unfinished, and killed in the middle."""

import base64
import os
import signal
import subprocess
import sys
import time

import pytest

from samspil.errors import SamspilError, SettingsError
from samspil.hub import Hub
from samspil.store import persons
from samspil.vault import rotation

SEPARATED = "760"  # on PostgreSQL also as a role of this municipality

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
ONE, TWO = (base64.b64encode(key).decode() for key in (FIRST, SECOND))
BOTH = f"1:{ONE},2:{TWO}"
FILE = """
municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
systems: {jobcenter: {connector: jobcenter, connection: c_j}, journal: {connector: journal_rest, connection: c_r}}
schedule: "0 2 * * *"
deadline: "06:00"
agreements: []
"""


@pytest.fixture
def town(tmp_path, store_url, monkeypatch):
    """A municipality with 5,000 persons' keys under version 1; opens its hub with the master key given."""
    file = tmp_path / "ringkobing.yaml"
    file.write_text(FILE)
    monkeypatch.setenv("SAMSPIL_STORE", store_url)

    def hub(key=BOTH):
        monkeypatch.setenv("SAMSPIL_KEY", key)
        return Hub.open(file)

    with hub(ONE) as opened, opened.store.transaction() as connection:
        opened.persons.fetch(connection, new=[n.to_bytes(16, "big") for n in range(5000)])
    return hub


def versions(hub):
    now = rotation.standing(hub)
    return now.roots, dict(now.persons)


def test_everything_is_under_the_newest_and_the_old_key_opens_nothing(town):
    with town() as hub:
        before = hub.vault.key("x")
        assert ([1, 2], {1: 5000}) == versions(hub)
        assert 5000 == rotation.rotate(hub, who="a test")
        assert ([2], {2: 5000}) == versions(hub)
    with town(f"2:{TWO}") as hub:
        assert before == hub.vault.key("x")
        assert 5000 == rotation.require_open(hub)
    with pytest.raises(SettingsError, match="sealed under version 2"):
        town(ONE)


def test_a_rotation_that_is_not_needed_changes_nothing(town):
    with town() as hub:
        rotation.rotate(hub, who="a test")
        assert 0 == rotation.rotate(hub, who="a test")


def test_a_version_that_is_needed_and_not_given_is_named(town):
    with town() as hub:
        rotation.rotate(hub, who="a test")
    with town(f"2:{TWO},3:{ONE}") as hub, hub.store.transaction() as connection:
        row = persons.some(connection, "760", after=b"", limit=1)[0]
        persons.rewrap(connection, "760", 1, [(row.person, 2, row.wrapped or b"")])
    with town(f"2:{TWO}") as hub, pytest.raises(SettingsError, match=r"version 1 .* which is not given"):
        rotation.require_open(hub)


def test_a_worker_that_still_has_the_old_key_makes_no_new_keys_once_it_is_retired(town):
    with town(ONE) as old:
        with town() as hub:
            rotation.rotate(hub, who="a test")
        with pytest.raises(SettingsError, match="was changed while this ran"), old.store.transaction() as connection:
            old.persons.fetch(connection, new=[b"a new person....."[:16]])


def test_an_erased_person_is_not_brought_back(town):
    with town() as hub:
        with hub.store.transaction() as connection:
            (row,) = persons.some(connection, "760", after=b"", limit=1)
            connection.exec_driver_sql("UPDATE persons SET wrapped = NULL WHERE version = 1")
        with hub.store.transaction() as connection:
            persons.rewrap(connection, "760", 2, [(row.person, 1, row.wrapped or b"")])
            assert {} == persons.by_version(connection, "760")


def test_killed_in_the_middle_it_goes_on_from_there(town, tmp_path, store_url):
    script = f"""
import os, sys
from samspil.hub import Hub
from samspil.vault import rotation
hub = Hub.open({str(tmp_path / "ringkobing.yaml")!r})
def done(count):
    print(count, flush=True)
    if count >= 2000:
        sys.stdin.readline()
rotation.rotate(hub, who="a test", done=done)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "SAMSPIL_KEY": BOTH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    while int(child.stdout.readline()) < 2000:
        time.sleep(0)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with town() as hub:
        assert ([1, 2], {1: 3000, 2: 2000}) == versions(hub)
        assert 5000 == rotation.require_open(hub)
        assert 3000 == rotation.rotate(hub, who="a test")
        assert ([2], {2: 5000}) == versions(hub)
        assert 5000 == rotation.require_open(hub)


def test_a_key_found_to_be_changed_stops_it(town):
    with town() as hub:
        with hub.store.transaction() as connection:
            first, second = persons.some(connection, "760", after=b"", limit=2)
            persons.rewrap(connection, "760", 1, [(first.person, 1, second.wrapped or b"")])
        with pytest.raises(SamspilError, match="keys check"):
            rotation.rotate(hub, who="a test")
        with pytest.raises(SamspilError, match="1 of 5000 persons' keys do not open"):
            rotation.require_open(hub)


def test_a_hub_that_was_open_before_reads_on(town):
    with town() as early:
        with early.store.transaction() as connection:
            early.persons.fetch(connection, [bytes(16)])
        with town() as hub:
            rotation.rotate(hub, who="a test")
        with early.store.transaction() as connection:
            assert frozenset() == early.persons.fetch(connection, [(9).to_bytes(16, "big"), b"a new person....."[:16]])
        assert early.persons.cipher((9).to_bytes(16, "big"))
