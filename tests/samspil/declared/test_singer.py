"""A Singer tap as a source: what a tap may do, and what it may not get away with. The taps here are real processes."""

import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest

from samspil.account import Account
from samspil.declared import declared
from samspil.errors import AccessError, SettingsError, Unavailable
from samspil.testing.traced import traced

DECLARATION = """
kind: singer
title: A tap in a test
tap: tap-test
settings: {{username: {{default: ""}}, password: secret, mode: text}}
config: {{user: "{{username}}", secret: "{{password}}", mode: "{{mode}}", port: "{{port}}"}}
denied: [wrong password]
limits: {{silence: {silence}, line: 2000, state: 300}}
schemas:
  activity: {{record: things, key: [id]{more}}}
"""
CATALOG = {
    "streams": [
        {
            "tap_stream_id": "things",
            "stream": "things",
            "schema": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": ["null", "string"]},
                    "changed": {"type": "string", "format": "date-time"},
                    "gone": {"type": ["null", "boolean"]},
                    "place": {"type": "object", "properties": {"city": {"type": "string"}}},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "goals": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
                    "private": {"type": "string"},
                },
            },
            "metadata": [{"breadcrumb": ["properties", "private"], "metadata": {"selected": False}}],
        }
    ]
}
TAP = """
import json, os, sys, time
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
config = json.load(open(arguments["--config"]))
catalog = json.load(open(arguments["--catalog"])) if "--catalog" in arguments else None
state = json.load(open(arguments["--state"])) if "--state" in arguments else {}
schema = json.loads(r'''SCHEMA''')
def say(**message):
    sys.stdout.write(json.dumps(message) + "\\n"); sys.stdout.flush()
def begin(change=lambda properties: None):
    change(schema["properties"])
    say(type="SCHEMA", stream="things", schema=schema, key_properties=["id"])
def record(n, **more):
    say(type="RECORD", stream="things", record={"id": f"T{n}", "name": "Åse", **more}, time_extracted="2026-11-01T00:00:00Z")
mode = config["mode"]
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A connector whose tap does what the Python text says."""

    def making(does: str, *, more: str = "", silence: float = 20, port: int | None = None):
        folder = tmp_path / "connectors" / "some_things"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "connector.yaml").write_text(DECLARATION.format(more=more, silence=silence))
        (folder / "catalog.json").write_text(json.dumps(CATALOG))
        taps = tmp_path / "taps"
        taps.mkdir(exist_ok=True)
        tap = taps / "tap-test"
        begin = TAP.replace("SCHEMA", json.dumps(CATALOG["streams"][0]["schema"]), 1)
        tap.write_text(f"#!{sys.executable}\n{begin}\n{textwrap.dedent(does)}")
        tap.chmod(0o755)
        temporary = tmp_path / "temporary"
        temporary.mkdir(exist_ok=True)
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        account = Account(
            id="things",
            host="127.0.0.1",
            port=port,
            login="hub",
            password="s3cret",
            extra={"mode": "x", "taps": str(taps)},
        )
        return declared(folder / "connector.yaml")(account)

    return making


def read(connector, since=None):
    return list(connector.read("activity", since))


def left_behind(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "temporary").iterdir())


def test_records_come_as_they_were_written_with_their_keys(make, tmp_path):
    pages = read(make("begin()\nfor n in range(1200): record(n)\nsay(type='STATE', value={})"))
    raws = [raw for page in pages for raw in page.raws]
    assert [f"T{n}".encode() for n in range(1200)] == [key for page in pages for key in page.keys]
    assert b'{"id":"T7","name":"\\u00c5se"}' == raws[7]
    assert [500, 500, 200] == [len(page.raws) for page in pages]
    assert [] == left_behind(tmp_path)


def test_records_are_decoded_to_the_shape_of_the_contract(make):
    connector = make("")
    assert {"id", "name", "changed", "gone", "place.city", "tags[]", "goals[].id"} == set(connector.fields("activity"))
    assert connector.fields("activity")["id"].required
    decoded, broken = connector.decode("activity", [b'{"id":"T1"}', b"{"])
    assert ({"id": "T1"}, "bad-json") == (decoded, broken.reason)


def test_a_property_nobody_agreed_on_never_reaches_the_engine(make):
    """Some taps do not obey the catalog's selection."""
    (page,) = read(make("begin()\nrecord(1, private='health')"))
    assert [b'{"id":"T1","name":"\\u00c5se"}'] == page.raws


def test_the_tap_gets_its_stream_alone_and_the_way_to_read_it(make):
    does = """
    (stream,) = catalog["streams"]
    meta = next(item["metadata"] for item in stream["metadata"] if item["breadcrumb"] == [])
    begin()
    record(1, name=json.dumps([stream["tap_stream_id"], meta["selected"], meta["replication-method"], "state" in str(arguments)]))
    """
    (page,) = read(make(does), since="{}")
    assert ["things", True, "FULL_TABLE", False] == json.loads(json.loads(page.raws[0])["name"])


def test_settings_go_into_the_config_with_their_types_and_the_secret_nowhere_else(make):
    does = """
    leaked = "s3cret" in " ".join(sys.argv) + json.dumps(dict(os.environ))
    file = arguments["--config"]
    modes = [oct(os.stat(path).st_mode)[-3:] for path in (file, os.path.dirname(file))]
    begin()
    record(1, name=json.dumps([config, leaked, modes]))
    """
    (page,) = read(make(does, port=81))
    config, leaked, modes = json.loads(json.loads(page.raws[0])["name"])
    assert {"user": "hub", "secret": "s3cret", "mode": "x", "port": 81} == config
    assert (False, ["600", "700"]) == (leaked, modes)


def test_another_accounts_secret_is_not_in_the_taps_environment(make, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", "another secret")
    (page,) = read(make("begin()\nrecord(1, name=json.dumps(sorted(os.environ)))"))
    assert not any("AIRFLOW" in name for name in json.loads(json.loads(page.raws[0])["name"]))


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("begin(); record(1); sys.exit(3)", "tap-failed"),
        ("begin(); record(1); os.kill(os.getpid(), 9)", "tap-killed"),
        ("begin(); record(1); time.sleep(60)", "tap-timeout"),
        ("begin(); record(1); sys.stdout.close(); os.close(1); time.sleep(60)", "tap-timeout"),
        ("pass", "tap-incomplete"),
        ("record(1)", "tap-incomplete"),
        ("for n in range(200): print('noise')", "tap-incomplete"),
        ("begin(); sys.stdout.write('\\x00' * 5000)", "tap-incomplete"),
    ],
    ids=["fails", "killed", "hangs", "hangs at its end", "says nothing", "no schema", "noise", "no line"],
)
def test_a_tap_that_fails_is_unavailable_and_never_a_shorter_list(make, does, reason, tmp_path):
    silence = 1 if reason == "tap-timeout" else 20
    more = ", list: {version: true}" if "x00" in does else ""
    with pytest.raises(Unavailable) as caught:
        read(make(does, silence=silence, more=more))
    assert reason == caught.value.reason
    assert [] == left_behind(tmp_path)


def test_an_account_may_be_less_patient(make):
    connector = make("begin(); time.sleep(60)")
    hasty = msgspec.structs.replace(connector.account, extra={**connector.account.extra, "timeout": 0.5})
    with pytest.raises(Unavailable, match="said nothing"):
        read(type(connector)(hasty))


def test_a_version_that_is_not_activated_at_the_end_is_no_whole_read(make):
    does = "begin()\nsay(type='ACTIVATE_VERSION', stream='things', version=1)\nrecord(1)"
    with pytest.raises(Unavailable, match="ACTIVATE_VERSION"):
        read(make(does, more=", list: {version: true}"))
    both = "begin()\nrecord(1)\nsay(type='ACTIVATE_VERSION', stream='things', version=None)"
    (page,) = read(make(both, more=", list: {version: true}"))
    assert [b"T1"] == page.keys


def test_an_empty_stream_is_no_error(make):
    assert [] == read(make("begin()"))


def test_what_is_on_stderr_ends_in_no_message_and_no_log(make, caplog, capfd):
    does = "begin()\nsys.stderr.write('0101010000 is ill' * 100000)\nsys.exit(1)"
    with pytest.raises(Unavailable) as caught:
        read(make(does))
    assert "ill" not in str(caught.value).replace("silence", "")
    assert ("", ("", "")) == (caplog.text, capfd.readouterr())


def test_a_refused_login_is_no_access(make):
    with pytest.raises(AccessError, match="tap-test"):
        read(make("sys.stderr.write('FATAL: Wrong Password for hub'); sys.exit(1)"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("p.pop('name')", "things.name: is gone"),
        ("p.update(extra={'type': 'string'})", "things.extra: is new"),
        ("p.update(name={'type': 'integer'})", "things.name: has another type"),
        ("p['place']['properties'].update(zip={'type': 'string'})", "things.place.zip: has another type"),
        ("p['goals']['items']['properties']['id'].update(type='integer')", r"things.goals\[\].id: has another type"),
        ("p['changed'].pop('format')", "things.changed: has another type"),
    ],
)
def test_a_schema_other_than_the_contract_names_the_property(make, change, named):
    with pytest.raises(SettingsError, match=named) as caught:
        read(make(f"begin(lambda p: {change})\nrecord(1)"))
    assert caught.value.file.endswith("catalog.json")


def test_lengths_descriptions_and_unselected_properties_may_change(make):
    change = "begin(lambda p: (p['name'].update(maxLength=3, description='x'), p['private'].update(type='integer')))"
    assert 1 == len(read(make(f"{change}\nrecord(1)")))


def test_other_key_properties_are_an_error(make):
    with pytest.raises(SettingsError, match=r"things\.key"):
        read(make("say(type='SCHEMA', stream='things', schema=schema, key_properties=['name'])"))


def test_a_stream_that_was_not_selected_is_an_error(make):
    for does in (
        "say(type='SCHEMA', stream='persons', schema=schema)",
        "begin()\nsay(type='RECORD', stream='persons', record={})",
    ):
        with pytest.raises(SettingsError, match="not selected"):
            read(make(does))


def test_batches_of_files_are_refused(make):
    with pytest.raises(SettingsError, match="BATCH"):
        read(make("begin()\nsay(type='BATCH', stream='things', manifest=['file:///etc/passwd'])"))


def test_bad_lines_are_rejected_and_the_others_go_on(make):
    does = """
    begin()
    record(1)
    print("{not json")
    sys.stdout.buffer.write(b"\\xff\\xfe\\n"); sys.stdout.flush()
    say(type="RECORD", stream="things", record={"id": None, "name": "x"})
    say(type="RECORD", stream="things", record={"id": ""})
    say(type="RECORD", stream="things", record="text")
    say(type="SHRUG")
    record(2, name="x" * 5000)
    record(3)
    """
    pages = read(make(does))
    assert [b"T1", b"T3"] == [key for page in pages for key in page.keys]
    reasons = sorted(each.error.reason for page in pages for each in page.rejected)
    assert ["no-key"] * 3 + ["not-singer"] * 3 + ["record-too-large"] == reasons
    (large,) = [each.raw for page in pages for each in page.rejected if each.error.reason == "record-too-large"]
    assert 2000 == len(large)


def test_a_line_of_many_blocks_is_cut_short_and_the_next_one_is_whole(make):
    (page,) = read(make("begin()\nrecord(1, name='x' * 3_000_000)\nrecord(2)"))
    assert ([b"T2"], [2000]) == (page.keys, [len(each.raw) for each in page.rejected])


def test_a_key_of_several_properties_is_one_key(make, tmp_path):
    connector = make("begin()\nrecord(1)")
    path = tmp_path / "connectors" / "some_things" / "connector.yaml"
    path.write_text(path.read_text().replace("key: [id]", "key: [id, name]"))
    made = declared(path)(connector.account)
    with pytest.raises(SettingsError, match="key"):  # the tap says that id is the key
        read(made)


INCREMENTAL = ", list: {incremental: {changed: changed, gone: {field: gone}}}"


def test_a_state_is_the_cursor_once_its_records_are_there_and_the_next_run_begins_with_it(make):
    does = """
    begin()
    at = state.get("at", 0)
    record(at + 1)
    say(type="STATE", value={"at": at + 1})
    record(at + 2, gone=True)
    record(at + 3)
    say(type="STATE", value={"at": at + 3})
    """
    connector = make(does, more=INCREMENTAL)
    pages = read(connector)
    assert ['{"at":1}', '{"at":3}'] == [page.cursor and page.cursor.replace(" ", "") for page in pages]
    assert ([b"T1"], [b"T3"], [b"T2"]) == (pages[0].keys, pages[1].keys, pages[1].gone)
    assert [b"T4"] == read(connector, pages[1].cursor)[0].keys


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("begin()\nrecord(1)", "without a STATE"),
        ("begin()\nsay(type='STATE', value=[1])", "no object"),
        ("begin()\nsay(type='STATE', value={'x': 'y' * 400})", "larger than 300 bytes"),
    ],
)
def test_a_state_that_cannot_be_kept_is_an_error(make, does, error):
    with pytest.raises(Exception, match=error):
        read(make(does, more=INCREMENTAL))


def test_a_cursor_that_is_no_state_is_refused_before_the_tap_starts(make):
    with pytest.raises(SettingsError, match="cursor"):
        read(make("begin()", more=INCREMENTAL), since="2026-01-01")


def test_leaving_early_ends_the_tap_and_all_it_started(make, tmp_path):
    does = """
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    begin()
    record(1, name=f"{os.getpid()} {child.pid}")
    for n in range(100000): record(n)
    """
    pages = make(does).read("activity")
    tap, child = map(int, json.loads(next(pages).raws[0])["name"].split())
    pages.close()
    with pytest.raises(ProcessLookupError):
        os.kill(tap, 0)
    until = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            break  # killed; whoever adopted it has not asked yet
        signal.sigtimedwait([], 0.01)
    assert [] == left_behind(tmp_path)


def test_its_files_are_gone_once_it_has_begun_to_answer(make, tmp_path):
    pages = make("begin()\nfor n in range(100000): record(n)").read("activity")
    next(pages)
    (folder,) = left_behind(tmp_path)
    assert [] == list(folder.glob("*.json"))
    pages.close()


CHECK = (
    "schema['properties']; print(json.dumps({'streams': [{'tap_stream_id': 'things', 'schema': schema}]}, indent=1))"
)


def test_check_compares_what_the_tap_discovers_with_the_contract(make):
    make(CHECK).check()
    with pytest.raises(SettingsError, match=r"things\.name: is gone"):
        make(f"schema['properties'].pop('name'); {CHECK}").check()
    with pytest.raises(SettingsError, match="no such stream"):
        make("print(json.dumps({'streams': []}))").check()
    with pytest.raises(SettingsError, match="not a Singer catalog"):
        make("print('hello')").check()
    with pytest.raises(Unavailable):
        make("sys.exit(1)").check()


def test_a_tap_that_is_not_installed_is_named(make, tmp_path):
    connector = make("")
    (tmp_path / "taps" / "tap-test").unlink()
    with pytest.raises(SettingsError, match="tap-test is not installed in the folder"):
        connector.check()


def test_a_tap_is_found_in_its_own_virtual_environment(make, tmp_path):
    connector = make(CHECK)
    place = tmp_path / "taps" / "tap-test" / "bin"
    moved = (tmp_path / "taps" / "tap-test").rename(tmp_path / "moved")
    place.mkdir(parents=True)
    moved.rename(place / "tap-test")
    connector.check()


def test_secrets_are_marked_and_settings_are_closed(make, tmp_path):
    kind = type(make("")).Settings
    hints = kind.__annotations__
    assert "secret" in str(hints["password"])
    with pytest.raises(SettingsError, match="unknown field"):
        Account(id="x", password="p", extra={"mode": "x", "colour": "red"}).settings(kind)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{password}", "{pasword}", "config.secret: {pasword} is no setting"),
        ("tap: tap-test", "tap: ../tap", "tap"),
        ("key: [id]", "key: [number]", "things.number: is named in the declaration"),
        ("key: [id]", "key: [private]", "things.private: is named in the declaration"),
        ("record: things", "record: others", "no stream others"),
        (
            "key: [id]",
            "key: [id], list: {incremental: {changed: id}}",
            "schemas.activity.list.incremental: Object missing",
        ),
        ("key: [id]", "key: [id], list: {gone: never}", "schemas.activity.list: Object contains unknown field `gone`"),
        ("mode: text", "host: text", "settings.host: is a setting already"),
        ("mode: text", "taps: text", "settings.taps: is a setting already"),
        ("mode: text", "mode: shell", "settings.mode: Invalid enum value 'shell'"),
        ("title:", "shell: yes\ntitle:", "unknown field"),
    ],
)
def test_a_declaration_that_is_wrong_says_where(make, tmp_path, old, new, message):
    make("")
    path = tmp_path / "connectors" / "some_things" / "connector.yaml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        declared(path)
    assert message in str(caught.value)
    assert caught.value.file


def test_memory_is_that_of_a_page_and_not_of_the_stream(make):
    does = "begin()\nfor n in range(60_000): sys.stdout.write(line % n)"
    line = json.dumps({"type": "RECORD", "stream": "things", "record": {"id": "T%d", "name": "x" * 900}}) + "\n"
    connector = make(f"line = {line!r}\n{does}")
    with traced() as memory:
        count = sum(len(page.raws) for page in connector.read("activity"))
        peak = memory.peak
    assert 60_000 == count
    assert peak < 8_000_000  # the stream is 58 MB
