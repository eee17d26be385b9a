"""The course register through PipelineWise's tap for PostgreSQL, as it is on PyPI, on a real PostgreSQL server."""

import textwrap
from pathlib import Path

import msgspec
import pytest

from connectors.course_catalogue import sandbox as its
from connectors.course_catalogue.sandbox import CourseCatalogueSandbox
from connectors.star.sandbox import StarSandbox
from samspil import flow as steps
from samspil import registry
from samspil.declared import declared
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.hub import Hub
from samspil.testing.world import World

pytestmark = pytest.mark.skipif(
    not (its.TAPS / "tap-postgres" / "bin" / "tap-postgres").is_file(),
    reason="left out: the tests with the Singer tap tap-postgres; python3 tools/singer_peer.py installs it",
)


@pytest.fixture
def world():
    return World("760", citizens=24)


@pytest.fixture
def register(world):
    with CourseCatalogueSandbox(world) as made:
        yield made


@pytest.fixture
def connector(register):
    return registry.connector("course_catalogue")(register.account)


def keys(pages):
    return sorted(key.decode() for page in pages for key in page.keys)


def test_check_logs_in_and_finds_the_table_as_agreed(connector):
    connector.check()


def test_every_row_is_read_without_the_column_nobody_agreed_on(connector, world):
    pages = list(connector.read("activity"))
    assert sorted(fact["id"] for fact in world.records("activity")) == keys(pages)
    assert not any(b"noter" in raw for page in pages for raw in page.raws)


def test_danish_letters_decimals_and_moments_come_through(connector, register):
    with register.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE aktiviteter SET sagsbehandler = 'Æblegård', timer_pr_uge = 12.25, "
            "rettet = '2026-03-29 02:30:00+01' WHERE aktivitet_id = 'AKT7600000001'"
        )
    pages = list(connector.read("activity"))
    (raw,) = [raw for page in pages for raw in page.raws if b"AKT7600000001" in raw]
    (record,) = connector.decode("activity", [raw])
    assert ("Æblegård", 12.25) == (record["sagsbehandler"], record["timer_pr_uge"])
    assert record["rettet"].startswith("2026-03-29T")


def test_a_wrong_password_is_no_access(connector, register):
    wrong = msgspec.structs.replace(register.account, password="wrong")
    with pytest.raises(AccessError):
        type(connector)(wrong).check()


@pytest.mark.parametrize("kind", ["status:503", "truncate", "garbage"])
def test_a_connection_that_breaks_is_unavailable_and_never_a_shorter_list(connector, register, kind):
    register.faults.add(kind, after=3)  # the tap's fourth connection is the one that reads
    with pytest.raises(Unavailable):
        list(connector.read("activity"))


def test_a_system_that_is_down_is_unavailable(connector, register):
    register.stop()
    with pytest.raises(Unavailable):
        connector.check()


def test_a_column_of_another_type_is_named_and_nothing_is_read(connector, register):
    with register.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE aktiviteter ALTER COLUMN timer_pr_uge TYPE varchar(10)")
    for calling in (connector.check, lambda: list(connector.read("activity"))):
        with pytest.raises(SettingsError, match=r"public-aktiviteter\.timer_pr_uge: has another type"):
            calling()


def test_an_incremental_read_goes_on_where_the_tap_said(register, tmp_path):
    folder = tmp_path / "connectors" / "courses"
    folder.mkdir(parents=True)
    here = Path(its.__file__).parent
    (folder / "catalog.json").write_bytes((here / "catalog.json").read_bytes())
    text = (here / "connector.yaml").read_text()
    how = "incremental: {changed: rettet, gone: never}"
    (folder / "connector.yaml").write_text(text.replace("version: true", how))
    connector = declared(folder / "connector.yaml")(register.account)
    first = list(connector.read("activity"))
    assert 48 == len(keys(first))
    with register.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE aktiviteter SET titel = 'Nyt', rettet = '2030-01-01+00' WHERE aktivitet_id = 'AKT7600000002'"
        )
    second = list(connector.read("activity", [page.cursor for page in first if page.cursor][-1]))
    assert "AKT7600000002" in keys(second)
    assert len(keys(second)) < 5  # and those of the very moment it stopped at


FILE = """
    municipality: {code: "760", name: Ringkøbing-Skjern, cvr: "29189609"}
    systems:
      courses: {connector: course_catalogue, connection: t_courses}
      star: {connector: star, connection: t_star}
    schedule: "0 2 * * *"
    deadline: "06:00"
    agreements:
      - name: national
        between: [courses, star]
        purpose: reporting
        legal_basis: an example
        flows:
          - schema: activity
            from: courses
            to: star
            rhythm: nightly
            fields: {courses: [id, cpr, kind, title, provider, start, end, hours_per_week, case_worker]}
"""


def test_two_nights_from_the_tap_to_star(register, world, store_url, master_key, monkeypatch, tmp_path):
    monkeypatch.setenv("SAMSPIL_STORE", store_url)
    file = tmp_path / "ringkobing.yaml"
    file.write_text(textwrap.dedent(FILE))
    with StarSandbox(world) as star:
        accounts = {
            "t_courses": msgspec.structs.replace(register.account, id="t_courses"),
            "t_star": msgspec.structs.replace(star.account, id="t_star"),
        }
        for night in (1, 2):
            register.to_night(night)
            star.to_night(night)
            with Hub.open(file, accounts.__getitem__) as hub:
                run = steps.plan(hub, "courses-activity-star", f"night-{night}")
                steps.guard(hub, run)
                steps.deliver(hub, run)
                counts = steps.reconcile(hub, run)
            broken = set(world.broken("activity", night))
            right = {fact["id"] for fact in world.records("activity", night)} - broken
            assert right <= set(star.held("activity"))
            assert counts.read == len(right) + len(broken)
        assert counts.unchanged > 0
