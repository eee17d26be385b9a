"""What the connector reads: pages, damage, faults; never a shorter list."""

from __future__ import annotations

import math
import socket

import msgspec
import pytest

from connectors.jobcenter.connector import Jobcenter
from connectors.jobcenter.contract import record_type
from connectors.jobcenter.pages import write_bulk
from connectors.jobcenter.sandbox import PATH, JobcenterSandbox
from connectors.jobcenter.words import WORDS, rendered
from samspil.errors import AccessError, Refused, SettingsError, Unavailable
from samspil.testing.world import World


def read(connector, schema):
    """Decoded records by key, refusals by key, and rejected parts of pages."""
    good, refused, rejected = {}, {}, []
    for page in connector.read(schema):
        for key, found in zip(page.keys, connector.decode(schema, page.raws), strict=True):
            (refused if isinstance(found, Refused) else good)[key.decode()] = found
        rejected += page.rejected
    return good, refused, rejected


def test_check_logs_in_and_reads_nothing(sandbox, jobcenter):
    jobcenter.check()
    assert [f"POST {PATH}"] == sandbox.calls


def test_check_with_an_api_key(connect):
    connect(login="", password="", api_key=JobcenterSandbox.api_key).check()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"password": "forkert"}, "status-401"),
        ({"login": "", "password": "", "api_key": "forkert"}, "status-401"),
        ({"municipality_cvr": "55133018"}, "fault-myndighed"),
    ],
)
def test_check_with_what_is_not_let_in(connect, settings, reason):
    with pytest.raises(AccessError) as caught:
        connect(**settings).check()
    assert reason == caught.value.reason
    assert "forkert" not in str(caught.value)


def test_check_of_a_system_that_is_down(sandbox, connect):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable) as caught:
        connect(port=port).check()
    assert "not-reached" == caught.value.reason


def test_check_at_a_wrong_address(connect):
    with pytest.raises(SettingsError):
        connect(schema="AndenService").check()


@pytest.mark.parametrize(
    "settings",
    [
        {"municipality_cvr": "123"},
        {"login": ""},
        {"page_size": 0},
        {"wsdl": "/findes/ikke.wsdl"},
        {"ukendt": 1},
    ],
)
def test_wrong_settings_fail_before_any_call(sandbox, connect, settings):
    with pytest.raises(SettingsError):
        connect(**settings)
    assert [] == sandbox.calls


@pytest.mark.parametrize("schema", ["course_order", "activity"])
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_every_record_is_read_whatever_the_page(world, connect, schema, size):
    good, refused, rejected = read(connect(page_size=size), schema)
    facts = {fact["id"]: fact for fact in world.records(schema)}
    broken = world.broken(schema)
    assert facts.keys() - broken.keys() == good.keys()
    assert broken.keys() == refused.keys()
    assert [] == rejected
    kind = record_type(schema)
    expected = {key: kind.decode([rendered(kind.name, WORDS[schema](facts[key]))])[0] for key in good}
    assert expected == good


def test_two_reads_give_the_same_bytes(jobcenter):
    first, second = (list(jobcenter.read("course_order")) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("schema", ["course_order", "activity"])
def test_each_damage_is_refused_by_its_reason_and_costs_no_neighbour(world, sandbox, jobcenter, schema):
    sandbox.to_night(3)
    good, refused, rejected = read(jobcenter, schema)
    broken = world.broken(schema, 3)
    lost = [key for key, kind in broken.items() if kind == "broken-syntax"]
    assert ["xml-malformed"] == [one.error.reason for one in rejected]
    assert [True] == [lost[0].encode() in one.raw for one in rejected]
    reasons = {broken[key]: error.reason for key, error in refused.items()}
    expected = {
        "bad-date": "bad-date",
        "unknown-code": "unknown-code",
        "missing-field": "missing-field",
        "unknown-field": "unknown-field",
    }
    assert expected == reasons
    odd = [key for key, kind in broken.items() if kind == "bad-cpr"]  # well-formed; the mapping finds it
    everything = {fact["id"] for fact in world.records(schema, 3)}
    assert everything - refused.keys() - set(lost) == good.keys()
    assert set(odd) <= good.keys()


@pytest.mark.parametrize("fault", ["status:503", "truncate", "garbage", "fault-with-200", "business-error"])
def test_a_page_that_fails_once_is_read_again(world, sandbox, jobcenter, fault):
    sandbox.faults.add(fault, after=1)
    good, refused, _ = read(jobcenter, "course_order")
    assert len(world.records("course_order")) == len(good) + len(refused)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("status:503", "status-503"),
        ("truncate", "answer-truncated"),
        ("garbage", "answer-not-xml"),
        ("fault-with-200", "fault-optaget"),
        ("business-error", "fault-50"),
    ],
)
def test_a_page_that_keeps_failing_ends_the_read_with_an_error(sandbox, jobcenter, fault, reason):
    pages = jobcenter.read("course_order")
    next(pages)
    sandbox.faults.add(fault, times=math.inf)
    with pytest.raises(Unavailable) as caught:
        next(pages)
    assert reason == caught.value.reason


def test_a_slow_system_is_unavailable(sandbox, connect):
    sandbox.faults.add("timeout", times=math.inf)
    with pytest.raises(Unavailable) as caught:
        connect(timeout=0.2, attempts=1).check()
    assert "timeout" == caught.value.reason


def test_a_list_that_changes_while_it_is_read_is_unavailable(sandbox, jobcenter):
    pages = jobcenter.read("activity")
    next(pages)
    sandbox.world = World("730", citizens=40)
    sandbox._pages.clear()
    with pytest.raises(Unavailable) as caught:
        list(pages)
    assert "list-moved" == caught.value.reason


def test_an_empty_list_is_fine():
    with JobcenterSandbox(World("730", citizens=0)) as sandbox:
        connector = Jobcenter(sandbox.account)
        assert ({}, {}, []) == read(connector, "course_order")
        connector.close()


def test_what_it_does_not_read_is_not_read(jobcenter):
    with pytest.raises(NotImplementedError):
        list(jobcenter.read("attendance"))


def test_pages_rendered_beforehand_are_served_as_they_are(world, tmp_path):
    words = WORDS["activity"](world.records("activity")[0])
    write_bulk(tmp_path, "activity", lambda number: rendered("Aktivitet", {**words, "AktivitetId": f"A{number}"}), 2500)
    assert 3 == len(list(tmp_path.iterdir()))
    with JobcenterSandbox(world, bulk=tmp_path) as sandbox:
        connector = Jobcenter(sandbox.account)
        good, _, _ = read(connector, "activity")
        assert {f"A{number}" for number in range(2500)} == good.keys()
        connector.close()


def test_one_record_is_fetched(world, jobcenter):
    fact = world.records("course_order")[0]
    assert fact["cpr"] == jobcenter.fetch("course_order", fact["id"])["Borger"]["CPRnummer"]
    assert jobcenter.fetch("course_order", "findes-ikke") is None


def test_a_vendors_wsdl_takes_the_place_of_ours(tmp_path, connect):
    from connectors.jobcenter.contract import HERE

    for file in (*HERE.glob("*.xsd"), *HERE.glob("*.wsdl")):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    vendors = tmp_path / "jobcenter.wsdl"
    vendors.write_text(vendors.read_text().replace("soapAction=", 'style="document" soapAction='))
    connect(wsdl=str(vendors)).check()
    vendors.write_text(vendors.read_text().replace('operation name="AdgangHent"', 'operation name="AdgangTest"'))
    other = tmp_path / "other.wsdl"
    other.write_text(vendors.read_text())
    with pytest.raises(SettingsError):
        connect(wsdl=str(other)).check()


def test_a_connector_keeps_no_secret_in_its_errors(connect):
    with pytest.raises(AccessError) as caught:
        connect(password="hemmeligt-ord").check()
    assert "hemmeligt" not in repr(caught.value) + str(msgspec.structs.asdict(connect().account)["id"])
