"""Several municipalities in one PostgreSQL database, each with roles of its own that see its own rows and no others.

The owner of the tables separates them once and admits roles; workers connect as theirs. Row-level security holds for
every role but the owner and those that pass it by (superusers, BYPASSRLS), so a worker is never one of those. Who is
admitted lies in table ``admitted``, of which a role sees its own line and changes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, Text, delete, insert, inspect, select

from samspil.errors import AccessError, SettingsError
from samspil.store.policies import OF_ROLE, POLICIES, columns
from samspil.store.tables import metadata

if TYPE_CHECKING:
    from samspil.store import Store

admitted = Table(
    "admitted",
    MetaData(),
    Column("role", Text, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("writes", Boolean, nullable=False),
)

_LOCK = 7266774514  # of advisory locks; two who separate at once would wait for each other's tables
_MAINTAIN = 170_000  # the version that knows this right


class Admitted(NamedTuple):
    """A role of a municipality. ``doubts`` are what lets it past its own rows after all."""

    role: str
    municipality: str
    writes: bool
    doubts: Sequence[str]


def separate(store: Store) -> int:
    """Put every table under its policy and give every admitted role its rights anew; how many tables.

    As the owner of the tables, at first and after each new version of Samspil. Changes nothing the second time.
    """
    with _owner(store) as connection:
        metadata.create_all(connection)
        admitted.create(connection, checkfirst=True)
        _guard(connection, admitted.name, "role = current_user", "false")
        for table, policy in POLICIES.items():
            _guard(connection, table, policy.rule, policy.rule)
        for row in connection.execute(select(admitted)).all():
            if _exists(connection, row.role):
                _grant(connection, row.role, writes=row.writes)
    return len(POLICIES)


def admit(store: Store, municipality: str, role: str, *, writes: bool = True) -> None:
    """Let a role in to one municipality's rows. Raises SettingsError if it could get at others' as well."""
    with _owner(store) as connection:
        _require_separated(connection)
        there = connection.execute(select(admitted.c.municipality).where(admitted.c.role == role)).scalar()
        if there not in (None, municipality):
            raise SettingsError(f"is admitted for {there}; first: samspil store dismiss {role}", field=f"role {role}")
        found = _doubts(connection, role, municipality)
        if found:
            raise SettingsError(f"it would not be kept to its own rows: it {'; it '.join(found)}", field=f"role {role}")
        _revoke(connection, role)
        connection.execute(delete(admitted).where(admitted.c.role == role))
        connection.execute(insert(admitted).values(role=role, municipality=municipality, writes=writes))
        _grant(connection, role, writes=writes)


def dismiss(store: Store, role: str) -> str:
    """Take everything from a role; the municipality that it was admitted for. Raises SettingsError if for none."""
    with _owner(store) as connection:
        _require_separated(connection)
        gone = delete(admitted).where(admitted.c.role == role).returning(admitted.c.municipality)
        municipality = connection.execute(gone).scalar()
        if municipality is None:
            raise SettingsError("was never admitted; samspil store roles lists those that are", field=f"role {role}")
        if _exists(connection, role):
            _revoke(connection, role)
    return str(municipality)


def roles(store: Store) -> tuple[Sequence[Admitted], Sequence[str]]:
    """Everyone who is admitted, and the tables that no policy guards."""
    with _owner(store) as connection:
        _require_separated(connection)
        rows = connection.execute(select(admitted).order_by(admitted.c.municipality, admitted.c.role)).all()
        found = [
            Admitted(row.role, row.municipality, row.writes, _doubts(connection, row.role, row.municipality))
            for row in rows
        ]
        guarded = {row[0] for row in connection.exec_driver_sql(_GUARDED)}
    return found, sorted({*metadata.tables, admitted.name} - guarded)


def require_role(connection: Connection, municipality: str) -> None:
    """Raise AccessError if the store is separated and our role is not this municipality's."""
    if not connection.exec_driver_sql(_IS_GUARDED).scalar():
        return
    found = connection.exec_driver_sql(OF_ROLE.strip("()")).scalar()
    if found != municipality:
        of = f"is for municipality {found}" if found else "is for no municipality"
        raise AccessError(
            f"our database role {of}, not for {municipality}: is {{municipality}} in SAMSPIL_STORE where the user's name "
            "stands? Who is admitted: samspil store roles",
            system="store",
        )


@contextmanager
def _owner(store: Store) -> Iterator[Connection]:
    """One transaction of somebody who changes tables; nobody else does at the same time."""
    if not store.postgresql:
        raise SettingsError(
            "roles are PostgreSQL's; with SQLite each municipality has a file of its own", field="SAMSPIL_STORE"
        )
    with store.transaction() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _require_separated(connection: Connection) -> None:
    if not inspect(connection).has_table(admitted.name):
        raise SettingsError("is not separated; first, as the owner: samspil store separate", field="SAMSPIL_STORE")


def _guard(connection: Connection, table: str, using: str, check: str) -> None:
    for statement in (
        f"REVOKE ALL ON {table} FROM PUBLIC",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {_POLICY} ON {table}",
        f"CREATE POLICY {_POLICY} ON {table} USING ({using}) WITH CHECK ({check})",
    ):
        connection.exec_driver_sql(statement)


def _grant(connection: Connection, role: str, *, writes: bool) -> None:
    to = connection.dialect.identifier_preparer.quote_identifier(role)
    version = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int").scalar_one()
    connection.exec_driver_sql(f"GRANT SELECT ON {admitted.name} TO {to}")
    for table, policy in POLICIES.items():
        rights = policy.rights if writes else {"SELECT"}
        if version < _MAINTAIN:
            rights -= {"MAINTAIN"}
        for right in sorted(rights):
            some = {"INSERT": columns(table), "UPDATE": policy.update or columns(table)}.get(right)
            of = f" ({', '.join(some)})" if some else ""
            connection.exec_driver_sql(f"GRANT {right}{of} ON {table} TO {to}")
        number = metadata.tables[table].autoincrement_column
        if number is not None and writes:
            connection.exec_driver_sql(f"GRANT USAGE ON SEQUENCE {table}_{number.name}_seq TO {to}")


def _revoke(connection: Connection, role: str) -> None:
    whom = connection.dialect.identifier_preparer.quote_identifier(role)
    for table in (*POLICIES, admitted.name):
        connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM {whom}")
        number = metadata.tables[table].autoincrement_column if table in POLICIES else None
        if number is not None:
            connection.exec_driver_sql(f"REVOKE ALL ON SEQUENCE {table}_{number.name}_seq FROM {whom}")


def _exists(connection: Connection, role: str) -> bool:
    return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_roles WHERE rolname = %s", (role,)).scalar())


def _doubts(connection: Connection, role: str, municipality: str) -> Sequence[str]:
    """What would let a role past its own rows."""
    row = connection.exec_driver_sql(_POWERS, {"role": role, "municipality": municipality}).mappings().first()
    if row is None:
        return ("does not exist in this database",)
    found = [text for power, text in _SAID.items() if row[power]]
    found += [f"is, or may become, {other}, which is not this municipality's" for other in row["others"] or ()]
    return found + [f"is a member of {other}" for other in row["predefined"] or ()]


_POLICY = "samspil"
_SAID = {
    "rolsuper": "is a superuser",
    "rolbypassrls": "passes row-level security by (BYPASSRLS)",
    "rolcreaterole": "may make roles (CREATEROLE)",
    "rolreplication": "may read everything as a replica (REPLICATION)",
    "owns": "is, or may become, the owner of the tables",
    "creates": "may create in the database or the tables' schema, and so put something in the others' way",
}
_POWERS = r"""
    SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
        pg_has_role(r.oid, t.relowner, 'MEMBER') AS owns,
        has_schema_privilege(r.oid, t.relnamespace, 'CREATE')
            OR has_database_privilege(r.oid, current_database(), 'CREATE') AS creates,
        (SELECT array_agg(a.role) FROM admitted a JOIN pg_roles o ON o.rolname = a.role
            WHERE a.municipality <> %(municipality)s AND NOT r.rolsuper AND NOT o.rolsuper
                AND (pg_has_role(r.oid, o.oid, 'MEMBER') OR pg_has_role(o.oid, r.oid, 'MEMBER'))) AS others,
        (SELECT array_agg(p.rolname::text) FROM pg_roles p
            WHERE p.rolname LIKE 'pg\_%%' AND NOT r.rolsuper AND pg_has_role(r.oid, p.oid, 'MEMBER')) AS predefined
    FROM pg_roles r, pg_class t WHERE r.rolname = %(role)s AND t.oid = 'admitted'::regclass
    """
_IS_GUARDED = "SELECT COALESCE((SELECT row_security_active(to_regclass('links'))), FALSE)"
_GUARDED = (
    "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
    f"WHERE c.relrowsecurity AND p.polname = '{_POLICY}' AND pg_table_is_visible(c.oid)"
)
