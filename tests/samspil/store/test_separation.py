"""A role of one municipality against another's rows: everything that PostgreSQL lets a worker try."""

from __future__ import annotations

import contextlib
import re
from contextlib import closing

import psycopg
import pytest
from psycopg.types.json import Json
from sqlalchemy import inspect, make_url, text

from samspil.errors import AccessError, SamspilError, SettingsError, Unavailable
from samspil.store import Store, bulk, outbox, runs, separation
from samspil.store.policies import POLICIES, columns
from samspil.store.tables import first_id, metadata
from samspil.vault import Master, Vault

OURS, THEIRS = "730", "760"


def fill(store, code, number):
    """One row of a municipality in every table, as its own role writes them."""
    with store.transaction() as connection:
        flow = runs.flow_id(connection, code, "orders")
        run = runs.start(connection, flow, "night 1").id
        key, secret = bytes([number]) * 16, b"sealed for " + code.encode()
        outbox.add(connection, [(first_id(run) + 1, key, key, 1, key, secret)])
        values = {
            "receipts": {"outbox_id": first_id(run) + 1, "status": 1, "reference": code, "at": 1.0},
            "links": {"flow_id": flow, "key": key, "fingerprint": key, "state": 1, "their_id": secret},
            "quarantine": {
                "flow_id": flow, "run_id": run, "seen_run": run, "key": key, "fingerprint": key, "stage": "map",
                "reason": "r", "field": "f", "hint": "h", "payload": secret, "state": "open", "at": 1.0, "note": "",
            },
            "baselines": {"flow_id": flow, "key": key, "due": 0, "met": 0, "payload": secret},
            "conflicts": {
                "flow_id": flow, "run_id": run, "key": key, "field": "f", "reason": "r", "payload": secret,
                "state": "open", "taken": "", "at": 1.0, "note": "",
            },
            "ledger": {
                "municipality": code, "seq": 1, "at": 1, "size": 1, "root": key, "frontier": key, "signature": key,
                "marks": key, "context": b"{}", "entries": secret,
            },
            "breakers": {"municipality": code, "account": "a", "failures": 1, "since": 1.0, "reason": "r"},
            "paces": {"municipality": code, "account": "a", "free": 1.0},
            "consents": {"carrier_id": flow, "subject": key, "person": key, "state": 1, "changed": 1},
            "consent_marks": {"flow_id": flow, "carrier_id": flow, "changed": 1},
            "withheld": {"flow_id": flow, "key": key, "person": key},
            "expiries": {
                "municipality": code, "system": "s", "setting": "certificate", "file": "f", "ends": 2.0, "at": 1.0,
            },
            "rotations": {"municipality": code, "recipient": "r", "version": 1, "at": 1.0},
            "keys": {"municipality": code, "version": 1, "wrapped": secret},
            "persons": {"municipality": code, "person": key, "handle": key, "wrapped": secret, "version": 1},
        }  # fmt: skip
        for table, row in values.items():
            connection.execute(metadata.tables[table].insert().values(**row))


@pytest.fixture
def towns(separated):
    """A separated store in which two municipalities have a row in every table; URLs of a role of each."""
    found = {code: separated.role(f"of_{code}", code) for code in (OURS, THEIRS)}
    for number, (code, url) in enumerate(found.items(), 1):
        with closing(Store(url)) as store:
            fill(store, code, number)
    return found


@pytest.fixture
def we(towns):
    """A connection of our role, as a driver of PostgreSQL that knows nothing of Samspil; each statement by itself."""
    with psycopg.connect(plain(towns[OURS]), autocommit=True) as connection:
        yield connection


@pytest.fixture
def they(towns):
    """The same of their role."""
    with psycopg.connect(plain(towns[THEIRS]), autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(separated):
    with psycopg.connect(plain(separated.owner), autocommit=True) as connection:
        yield connection


def plain(url):
    return url.replace("postgresql+psycopg://", "postgresql://")


def everything(owner):
    """All rows of all tables."""
    return {table: sorted(map(repr, owner.execute(f"SELECT * FROM {table}"))) for table in POLICIES}


def test_every_table_has_a_policy_and_every_policy_a_table(towns, separated):
    """Whoever adds a table to the store says here whose rows its rows are."""
    assert set(metadata.tables) == set(POLICIES)
    with closing(Store(separated.owner)) as store:
        assert [] == separation.roles(store)[1]
        with store.transaction() as connection:
            assert {*metadata.tables, "admitted"} == set(inspect(connection).get_table_names())
            connection.exec_driver_sql("ALTER TABLE links DISABLE ROW LEVEL SECURITY")
            connection.exec_driver_sql("DROP POLICY samspil ON paces")
        assert ["links", "paces"] == separation.roles(store)[1]


def test_whoever_adds_a_row_of_each_table_here_tries_each(towns, owner):
    assert {2} == {len(rows) for rows in everything(owner).values()}


@pytest.mark.parametrize("table", POLICIES)
def test_a_role_sees_its_own_rows_only(we, table):
    seen = we.execute(f"SELECT * FROM {table}").fetchall()
    assert 1 == len(seen)
    assert not [cell for cell in seen[0] if isinstance(cell, str | bytes) and "760" in str(cell)]
    assert [(1,)] == we.execute(f"SELECT count(*) FROM {table}").fetchall()
    with we.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        assert 1 == len(list(copy.rows()))
    with we.cursor().copy(f"COPY (TABLE {table}) TO STDOUT") as copy:
        assert 1 == len(list(copy.rows()))


@pytest.mark.parametrize("table", POLICIES)
def test_a_row_of_another_can_be_neither_added_changed_locked_nor_removed(we, they, owner, table):
    """Their own row is offered again: that it is there already must not be what we are told."""
    before = everything(owner)
    names = columns(table)
    row = they.execute(f"SELECT {','.join(names)} FROM {table}").fetchone()
    given = {name: Json(value) if isinstance(value, dict) else value for name, value in zip(names, row, strict=True)}
    whose = [name for name in names if re.search(rf"\b{name}\b", POLICIES[table].rule.partition(" IN ")[0])]
    if table == "consent_marks":
        whose.append("carrier_id")
    assert whose
    places = ",".join(f"%({name})s" for name in given)
    for statement in (
        f"INSERT INTO {table} ({','.join(given)}) VALUES ({places})",
        f"INSERT INTO {table} ({','.join(given)}) VALUES ({places}) ON CONFLICT DO NOTHING",
        f"MERGE INTO {table} USING (SELECT 1) s ON FALSE WHEN NOT MATCHED THEN INSERT ({','.join(given)}) VALUES ({places})",
        *(f"UPDATE {table} SET {name} = %({name})s" for name in whose),
        f"TRUNCATE {table}",
        f"COPY {table} FROM STDIN",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
            we.execute(statement, given if "%(" in statement else None)
    where = " AND ".join(f"{name} = %({name})s" for name in whose)
    for statement in (f"DELETE FROM {table} WHERE {where}", f"SELECT 1 FROM {table} WHERE {where} FOR UPDATE"):
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            assert 0 == we.execute(statement, given).rowcount
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
        assert 1 == we.execute(f"DELETE FROM {table}").rowcount  # our own, where rows may go at all
    gone = {table: rows for table, rows in everything(owner).items() if rows != before[table]}
    assert all(OURS not in "".join(rows) and 1 == len(rows) for rows in gone.values())
    assert row == they.execute(f"SELECT {','.join(names)} FROM {table}").fetchone()


@pytest.mark.parametrize("table", ["ledger", "rotations", "flows", "runs"])
def test_what_only_grows_cannot_be_removed_and_the_ledger_not_even_changed(we, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        we.execute(f"DELETE FROM {table}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        we.execute(f"UPDATE {table} SET {columns(table)[0]} = {columns(table)[0]}")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE links DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE links OWNER TO current_user",
        "DROP POLICY samspil ON links",
        "ALTER POLICY samspil ON links USING (true)",
        "CREATE POLICY more ON links USING (true)",
        "CREATE TABLE public.flows_2 (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER t BEFORE INSERT ON links EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE RULE r AS ON INSERT TO links DO ALSO NOTIFY x",
        "SET ROLE {theirs}",
        "SET SESSION AUTHORIZATION {theirs}",
        "GRANT {theirs} TO {ours}",
        "ALTER ROLE {ours} BYPASSRLS",
        "ALTER ROLE {theirs} PASSWORD 'x'",
        "INSERT INTO admitted VALUES ('{ours}', '760', true)",
        "UPDATE admitted SET municipality = '760'",
        "DELETE FROM admitted",
        "TRUNCATE admitted",
        "SELECT setval('runs_id_seq', 1)",
        "INSERT INTO runs (id, flow_id, key, state, pending, started, counts) SELECT 900, id, 'k', 's', false, 1, '{{}}' FROM flows",
        "UPDATE runs SET id = 900",
        "SELECT pg_read_file('pg_hba.conf')",
        "COPY links TO '/tmp/links'",
        "COPY links TO PROGRAM 'cat'",
        "SELECT * FROM pg_statistic",
        "SELECT lo_import('/etc/passwd')",
        "CREATE PUBLICATION p FOR TABLE links",
        "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
    ],
)
def test_the_rules_cannot_be_changed_or_walked_round(we, towns, owner, statement):
    roles = {name: f'"{make_url(towns[code]).username}"' for name, code in (("ours", OURS), ("theirs", THEIRS))}
    before = everything(owner)
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.WrongObjectType)):
        we.execute(statement.format(**roles).replace("'\"", "'").replace("\"'", "'"))
    assert before == everything(owner)


def test_a_reference_to_anothers_row_leads_nowhere(towns, they, owner):
    """Ours may name their row's number: nothing checks it, and nothing is found there."""
    (number,) = they.execute("SELECT id FROM outbox").fetchone()
    (run, flow) = they.execute("SELECT id, flow_id FROM runs").fetchone()
    before = everything(owner)["outbox"]
    with closing(Store(towns[OURS])) as store, store.transaction() as connection:
        connection.exec_driver_sql("UPDATE links SET outbox_id = %s", (number,))
        assert {} == outbox.payloads(connection, [number])
        assert [] == connection.exec_driver_sql("SELECT o.* FROM links l JOIN outbox o ON o.id = l.outbox_id").all()
        assert [] == outbox.pending(connection, THEIRS, flow, after=0, before=first_id(run + 1), limit=9)
        assert {} == runs.receipts_by_action(connection, run)
        outbox.remove(connection, [number])
        outbox.discard(connection, run)
        assert not runs.change(connection, run, state=runs.State.DROPPED)
        with pytest.raises(LookupError):
            runs.get(connection, run)
    assert before == everything(owner)["outbox"]


def test_switching_row_security_off_makes_every_question_an_error(we):
    """PostgreSQL then refuses to answer rather than leaving rows out; it lets nobody past them."""
    we.execute("SET row_security = off")
    for table in POLICIES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            we.execute(f"SELECT * FROM {table}")


def test_a_function_that_tells_what_it_is_given_is_given_our_rows_only(we):
    """One that is as cheap as can be would be asked first, if the rule were a condition like any other."""
    told = []
    we.add_notice_handler(lambda notice: told.append(notice.message_primary))
    we.execute(
        "CREATE FUNCTION pg_temp.leak(bytea) RETURNS bool COST 0.0000001 LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE NOTICE 'told %', encode($1, 'escape'); RETURN true; END $$"
    )
    we.execute("CREATE FUNCTION pg_temp.same(bytea, bytea) RETURNS bool LANGUAGE sql AS 'SELECT pg_temp.leak($1)'")
    we.execute("CREATE OPERATOR pg_temp.~~~ (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = pg_temp.same)")
    for query in (
        "SELECT * FROM outbox WHERE pg_temp.leak(payload)",
        "SELECT * FROM outbox o JOIN runs r ON pg_temp.leak(o.payload)",
        "SELECT * FROM keys WHERE wrapped OPERATOR(pg_temp.~~~) ''::bytea",
        "SELECT count(*) FILTER (WHERE pg_temp.leak(wrapped)) FROM persons",
        "SELECT 1 / (CASE WHEN pg_temp.leak(entries) THEN 1 ELSE 0 END) FROM ledger",
        "DELETE FROM quarantine WHERE pg_temp.leak(payload)",
        "UPDATE links SET state = 1 WHERE pg_temp.leak(their_id) RETURNING pg_temp.leak(their_id)",
    ):
        we.execute(query)
    assert {"told sealed for 730"} == set(told)


def test_a_view_or_a_table_of_the_same_name_shows_nothing_more(we):
    we.execute("CREATE TEMPORARY VIEW all_keys AS SELECT * FROM keys")
    assert ["730"] == [row[0] for row in we.execute("SELECT * FROM all_keys")]
    we.execute("CREATE TEMPORARY TABLE flows AS SELECT generate_series(1, 9) AS id")  # the rules mean the real one
    we.execute("CREATE TEMPORARY TABLE admitted AS SELECT current_user::text AS role, '760' AS municipality")
    assert 1 == len(we.execute("SELECT * FROM links").fetchall())
    assert ["730"] == [row[0] for row in we.execute("SELECT municipality FROM keys")]


def test_statistics_and_the_list_of_roles_tell_nothing(we, owner):
    owner.execute("ANALYZE")
    assert [] == we.execute("SELECT tablename FROM pg_stats WHERE schemaname = 'public'").fetchall()
    assert ["730"] == [row[1] for row in we.execute("SELECT * FROM admitted")]


def test_a_role_of_nobody_sees_nothing_even_with_every_right(we, separated):
    """The role is not in ``admitted``: no right, and given all of them by mistake, still no row."""
    with psycopg.connect(plain(separated.role("stranger")), autocommit=True) as stranger:
        for table in POLICIES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stranger.execute(f"SELECT * FROM {table}")
        for things in ("TABLES", "SEQUENCES"):
            separated.sql(f'GRANT ALL ON ALL {things} IN SCHEMA public TO "{separated.name}_stranger"')
        assert [] == [row for table in POLICIES for row in stranger.execute(f"SELECT * FROM {table}")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            stranger.execute("INSERT INTO flows (municipality, name) VALUES ('730', 'x')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            stranger.execute(f"INSERT INTO admitted VALUES ('{separated.name}_stranger', '730', true)")


def test_a_role_that_reads_reads_and_writes_nothing(separated, towns):
    url = separated.role("pages", OURS, writes=False)
    with psycopg.connect(plain(url), autocommit=True) as pages:
        for table in POLICIES:
            assert 1 == len(pages.execute(f"SELECT * FROM {table}").fetchall())
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    pages.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            pages.execute("SELECT nextval('runs_id_seq')")


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("ALTER ROLE {role} SUPERUSER", "is a superuser"),
        ("ALTER ROLE {role} BYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE {role} CREATEROLE", "CREATEROLE"),
        ("ALTER ROLE {role} REPLICATION", "REPLICATION"),
        ("GRANT {owner} TO {role}", "owner of the tables"),
        ("GRANT {theirs} TO {role}", "which is not this municipality's"),
        ("GRANT {role} TO {theirs}", "which is not this municipality's"),
        ("GRANT pg_read_server_files TO {role}", "is a member of pg_read_server_files"),
        ("GRANT CREATE ON SCHEMA public TO {role}", "may create"),
        ("GRANT CREATE ON DATABASE {database} TO {role}", "may create"),
    ],
)
def test_a_role_that_could_walk_round_the_rules_is_not_admitted_and_one_that_may_later_is_told(
    separated, towns, power, said
):
    separated.role("mighty")
    names = {
        "role": f'"{separated.name}_mighty"',
        "owner": f'"{separated.name}_owner"',
        "theirs": f'"{make_url(towns[THEIRS]).username}"',
        "database": separated.name,
    }
    with closing(Store(separated.owner)) as store:
        separation.admit(store, OURS, f"{separated.name}_mighty")
        separated.sql(power.format(**names))
        doubts = {each.role: each.doubts for each in separation.roles(store)[0]}
        assert said in " ".join(doubts[f"{separated.name}_mighty"])
        separation.dismiss(store, f"{separated.name}_mighty")
        with pytest.raises(SettingsError, match=said):
            separation.admit(store, OURS, f"{separated.name}_mighty")


def test_admitted_again_a_role_changes_what_it_may_and_dismissed_it_sees_nothing(separated, towns):
    role = make_url(towns[OURS]).username
    with closing(Store(separated.owner)) as store:
        with pytest.raises(SettingsError, match="is admitted for 730; first: samspil store dismiss"):
            separation.admit(store, THEIRS, role)
        separation.admit(store, OURS, role, writes=False)
        assert not {each.role: each.writes for each in separation.roles(store)[0]}[role]
        with closing(Store(towns[OURS])) as ours, pytest.raises(AccessError), ours.transaction() as connection:
            runs.flow_id(connection, OURS, "another")
        assert OURS == separation.dismiss(store, role)
        with pytest.raises(SettingsError, match="was never admitted"):
            separation.dismiss(store, role)
    with closing(Store(towns[OURS])) as ours, pytest.raises(AccessError), ours.transaction() as connection:
        runs.find_flow(connection, OURS, "orders")


def test_a_role_that_was_dropped_can_be_dismissed_and_stops_nobody(separated, towns):
    separated.role("gone", OURS)
    separated.sql(f'DROP OWNED BY "{separated.name}_gone"')
    separated.sql(f'ALTER ROLE "{separated.name}_gone" RENAME TO "{separated.name}_renamed"')
    with closing(Store(separated.owner)) as store:
        separation.separate(store)
        (doubts,) = [each.doubts for each in separation.roles(store)[0] if each.role.endswith("_gone")]
        assert ("does not exist in this database",) == doubts
        assert OURS == separation.dismiss(store, f"{separated.name}_gone")
    separated.sql(f'ALTER ROLE "{separated.name}_renamed" RENAME TO "{separated.name}_gone"')


def test_a_role_whose_name_is_sql_is_a_role(separated):
    url = separated.role('x"; DROP TABLE keys; --', OURS)
    with closing(Store(url)) as store, store.transaction() as connection:
        assert 1 == runs.flow_id(connection, OURS, "orders")
        assert inspect(connection).has_table("keys")


def test_separated_twice_nothing_changes_and_a_table_that_is_new_is_guarded(separated, towns, owner):
    before = everything(owner)
    policies = "SELECT tablename, qual, with_check FROM pg_policies ORDER BY 1"
    rules = owner.execute(policies).fetchall()
    with closing(Store(separated.owner)) as store:
        with store.transaction() as connection:
            connection.exec_driver_sql("DROP TABLE withheld")
        with pytest.raises(AccessError, match="samspil store separate"):
            Store(towns[OURS])
        assert len(POLICIES) == separation.separate(store)
    before["withheld"] = []
    assert (before, rules) == (everything(owner), owner.execute(policies).fetchall())
    with psycopg.connect(plain(towns[OURS])) as we:
        assert [] == we.execute("SELECT * FROM withheld").fetchall()


def test_only_the_owner_separates_admits_dismisses_and_lists(towns):
    with closing(Store(towns[OURS])) as store:
        role = make_url(towns[OURS]).username
        for attempt in (
            lambda: separation.separate(store),
            lambda: separation.admit(store, OURS, role),
            lambda: separation.dismiss(store, role),
        ):
            with pytest.raises(AccessError):
                attempt()


def test_on_sqlite_and_before_it_is_separated_the_next_step_is_said(tmp_path, postgresql_url):
    with closing(Store(f"sqlite:///{tmp_path}/s.db")) as store, pytest.raises(SettingsError, match="a file of its own"):
        separation.roles(store)
    with closing(Store(postgresql_url)) as store, pytest.raises(SettingsError, match="samspil store separate"):
        separation.roles(store)


def test_the_wrong_municipalitys_role_is_refused_when_the_store_is_opened(towns, monkeypatch):
    """It would look empty: every record would look new."""
    monkeypatch.setenv("SAMSPIL_STORE", towns[OURS])
    for create in (True, False):
        with pytest.raises(AccessError, match=r"is for municipality 730, not for 760.*\{municipality\}"):
            Store.from_environment(THEIRS, create=create)
        Store.from_environment(OURS, create=create).close()


def test_one_setting_serves_both_by_the_municipality_in_the_users_name(separated, towns, monkeypatch):
    template = make_url(towns[OURS]).set(username=f"{separated.name}_of_{{municipality}}")
    monkeypatch.setenv("SAMSPIL_STORE", template.render_as_string().replace("%7B", "{").replace("%7D", "}"))
    for code in (OURS, THEIRS):
        with closing(Store.from_environment(code)) as store, store.transaction() as connection:
            assert [code] == connection.exec_driver_sql("SELECT municipality FROM keys").scalars().all()


def test_bytes_sealed_by_another_do_not_open_with_our_master_key(separated):
    """Even when somebody hands them over, with table and row."""
    stores = {code: Store(separated.role(code, code)) for code in (OURS, THEIRS)}
    vaults = {code: Vault(Master({1: code.encode().ljust(32)}), code) for code in stores}
    for code, vault in vaults.items():
        vault.unlock(stores[code])
    sealed = vaults[THEIRS].box("outbox").seal(b"a note", b"row")
    with pytest.raises(SamspilError, match="does not open"):
        vaults[OURS].box("outbox").open(sealed, b"row")
    pretender = Vault(vaults[OURS].master, THEIRS)
    with pytest.raises(SettingsError, match="is not the key"):  # even at their store, with their root
        pretender.unlock(stores[THEIRS])
    for store in stores.values():
        store.close()


def test_rows_go_in_as_arrays_where_copy_is_refused_and_by_copy_elsewhere(separated):
    """Of temporary tables nothing is asked, and of the others once in a connection."""
    with closing(Store(separated.role("worker", OURS))) as store, store.transaction() as connection:
        run = runs.start(connection, runs.flow_id(connection, OURS, "orders"), "night 1").id
        with pytest.raises(psycopg.errors.FeatureNotSupported), connection.begin_nested():
            bulk._copy(connection, "outbox", outbox.COLUMNS, [(first_id(run), *_ROW)])
        asked = connection.info
        outbox.add(connection, [])
        outbox.add(connection, [(first_id(run) + n, *_ROW) for n in range(3)])
        assert asked["outbox is guarded"] is True
        connection.execute(text("CREATE TEMPORARY TABLE settled (outbox_id bigint)"))
        bulk.insert(connection, "settled", ("outbox_id",), [(1,)])
        assert not [name for name in asked if "settled" in str(name)]
        assert 3 == connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE person IS NULL").scalar()
    with closing(Store(separated.owner)) as store, store.transaction() as connection:
        outbox.add(connection, [(first_id(run) + 9, *_ROW)])
        assert connection.info["outbox is guarded"] is False


_ROW = (b"k" * 16, None, 1, b"f" * 16, b"payload")


def test_a_receipt_that_is_there_already_is_a_conflict_as_without_separation(towns):
    with closing(Store(towns[OURS])) as store:
        with store.transaction() as connection:
            row = (connection.exec_driver_sql("SELECT id FROM outbox").scalar(), 1, "", 1.0)
        with pytest.raises(Unavailable, match="another process wrote the same"), store.transaction() as connection:
            bulk.insert(connection, "receipts", ("outbox_id", "status", "reference", "at"), [row])


def test_a_worker_wipes_what_it_erased_or_says_that_the_owner_must(separated, towns):
    """PostgreSQL 17 lets others than the owner clean up a table; where it does not, nothing is claimed."""
    url = towns[OURS]
    with closing(Store(url)) as store:
        store.wipe("persons")
        assert set() == store.unwiped
    with closing(Store(separated.owner)) as store, store.transaction() as connection:
        connection.exec_driver_sql(f'REVOKE MAINTAIN ON persons FROM "{make_url(url).username}"')
    with closing(Store(url)) as store:
        store.wipe("persons")
        assert {"persons"} == store.unwiped
    with closing(Store(separated.owner)) as store:
        store.wipe("persons")
        assert set() == store.unwiped


def test_two_municipalities_without_separation_work_in_one_database_as_before(postgresql_url, monkeypatch):
    monkeypatch.setenv("SAMSPIL_STORE", postgresql_url)
    for number, code in enumerate((OURS, THEIRS), 1):
        with closing(Store.from_environment(code)) as store:
            fill(store, code, number)
    with closing(Store(postgresql_url)) as store, store.transaction() as connection:
        assert [(OURS,), (THEIRS,)] == connection.exec_driver_sql("SELECT municipality FROM keys ORDER BY 1").all()
