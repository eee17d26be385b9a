"""What changed since the last acknowledged night, found in bulk without decoding a record.

The keys and fingerprints of a page go to a temporary table and are joined with ``links``; only what differs comes
back. The keys seen stay there until the read is over, so that deletions are one anti-join and nothing is written
for a record that did not change. Memory is bounded by the page; the table of seen keys lies on disk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, bindparam, text

from samspil.store import Store, bulk
from samspil.store.tables import DELIVERED, DIGEST, ERASED, FILTERED

_CHUNK = 1_000
_FEW = 500  # bound values in one statement


class Differing(NamedTuple):
    """Record ``n`` of the page is new or changed. ``state`` is that of its link (None: no link yet)."""

    n: int
    state: int | None
    outbox_id: int | None  # the row whose payload the target last acknowledged


class Compared(NamedTuple):
    """A page after comparison: how many records are as they were, and which are not."""

    unchanged: int
    filtered: int  # unchanged, and filtered last time too
    differing: Sequence[Differing]


class Gone(NamedTuple):
    """A record that the target holds and the source no longer has."""

    key: bytes
    outbox_id: int | None


class Comparison:
    """One flow's comparison during one read. A context manager; its tables vanish with it."""

    def __init__(self, store: Store, flow_id: int) -> None:
        self._flow = flow_id
        self._postgresql = store.postgresql
        self._session = store.session()
        self._linked = 0  # readings of records that have a link
        self._once = False  # every key was read once only

    def __enter__(self) -> Self:
        self.connection: Connection = self._session.__enter__()
        try:
            self._make_tables()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _make_tables(self) -> None:
        with self.connection.begin():
            kind = "bytea" if self._postgresql else "BLOB"
            old = () if self._postgresql else ("DROP TABLE IF EXISTS temp.page", "DROP TABLE IF EXISTS temp.seen")
            for statement in (
                *old,  # a store in memory has one connection for all
                f"CREATE TEMPORARY TABLE page (n INTEGER PRIMARY KEY, key {kind}, fingerprint {kind})",
                f"CREATE TEMPORARY TABLE seen (key {kind})",
            ):
                self.connection.exec_driver_sql(statement)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, traceback)  # the pool keeps no connection: the temporary tables go with it

    def compare(self, keys: Sequence[bytes], fingerprints: Sequence[bytes]) -> Compared:
        """Compare one page. ``n`` in the answer is the index into the page."""
        compare = self._compare_postgresql if self._postgresql else self._compare_sqlite
        with self.connection.begin():
            found = compare(keys, fingerprints)
        differing = [Differing(n, state, outbox_id) for n, state, outbox_id, same in found if not same]
        filtered = len(found) - len(differing)
        self._linked += len(keys) - sum(row.state is None for row in differing)
        return Compared(len(keys) - len(found), filtered, differing)

    def _compare_postgresql(self, keys: Sequence[bytes], fingerprints: Sequence[bytes]) -> Sequence[Any]:
        """The whole page in one statement: its digests as two values, cut apart by the server."""
        page = {
            "keys": b"".join(keys),
            "prints": b"".join(fingerprints),
            "size": DIGEST,
            "last": len(keys) - 1,
            "flow": self._flow,
            "filtered": FILTERED,
        }
        return self.connection.exec_driver_sql(_POSTGRESQL, page).all()

    def _compare_sqlite(self, keys: Sequence[bytes], fingerprints: Sequence[bytes]) -> Sequence[Any]:
        self.connection.exec_driver_sql("DELETE FROM page")
        rows = list(zip(range(len(keys)), keys, fingerprints, strict=True))
        bulk.insert(self.connection, "page", ("n", "key", "fingerprint"), rows)
        self.connection.exec_driver_sql("INSERT INTO seen SELECT key FROM page")
        return self.connection.execute(_SQLITE, {"flow": self._flow, "filtered": FILTERED}).all()

    def seen_among(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Of these keys, those that were read."""
        found: list[bytes] = []
        for start in range(0, len(keys), _FEW):
            with self.connection.begin():
                rows = self.connection.execute(_SEEN, {"keys": keys[start : start + _FEW]})
                found += [bytes(row[0]) for row in rows]
        return found

    def duplicates(self) -> Sequence[bytes]:
        """Keys that were read more than once."""
        with self.connection.begin():
            rows = self.connection.exec_driver_sql("SELECT key FROM seen GROUP BY key HAVING count(*) > 1")
            found = [bytes(row[0]) for row in rows]
        self._once = not found
        return found

    def saw_all(self) -> bool:
        """Whether nothing can be gone: every link was met, and none twice. Cheaper than looking for what is gone.

        Known only after ``duplicates``.
        """
        with self.connection.begin():
            links = self.connection.execute(_COUNT, {"flow": self._flow}).scalar_one()
        return self._once and links == self._linked

    def gone(self) -> Iterator[Sequence[Gone]]:
        """Records the target holds that were not seen, in chunks. Right only after a complete read."""
        after = b""
        while True:
            with self.connection.begin():
                found = self.connection.execute(
                    _GONE, {"flow": self._flow, "after": after, "delivered": DELIVERED, "chunk": _CHUNK}
                ).all()
            if not found:
                return
            yield [Gone(bytes(key), outbox_id) for key, outbox_id in found]
            if len(found) < _CHUNK:
                return
            after = bytes(found[-1][0])

    def index_seen(self) -> None:
        """Prepare ``gone`` and ``forget``: an index is worth its making only when the read is complete."""
        with self.connection.begin():
            self.connection.exec_driver_sql("CREATE INDEX seen_key ON seen (key)")
            if self._postgresql:
                self.connection.exec_driver_sql("ANALYZE seen")

    def forget_filtered(self) -> None:
        """Drop the links of records that were filtered or erased and are gone from the source."""
        with self.connection.begin():
            self.connection.execute(_FORGET, {"flow": self._flow, "filtered": FILTERED, "erased": ERASED})


# PostgreSQL plans by statistics, and on a night that fills empty tables it has none: it would read all links for each
# page. The lateral subquery with its LIMIT makes it look each key up by index. %b sends bytes as they are.
_POSTGRESQL = """
    WITH page AS MATERIALIZED (
        SELECT n,
            substring(%(keys)b FROM n * %(size)s + 1 FOR %(size)s) AS key,
            substring(%(prints)b FROM n * %(size)s + 1 FOR %(size)s) AS fingerprint
        FROM generate_series(0, %(last)s) AS n
    ), kept AS (INSERT INTO seen SELECT key FROM page)
    SELECT p.n, l.state, l.outbox_id, l.fingerprint = p.fingerprint AS same
    FROM page p
    LEFT JOIN LATERAL (SELECT * FROM links k WHERE k.flow_id = %(flow)s AND k.key = p.key LIMIT 1) l ON TRUE
    WHERE l.fingerprint IS NULL OR l.fingerprint <> p.fingerprint OR l.state = %(filtered)s
    ORDER BY p.n
    """
_SQLITE = text(
    """
    SELECT p.n, l.state, l.outbox_id, l.fingerprint = p.fingerprint AS same
    FROM page p LEFT JOIN links l ON l.flow_id = :flow AND l.key = p.key
    WHERE l.fingerprint IS NULL OR l.fingerprint <> p.fingerprint OR l.state = :filtered
    ORDER BY p.n
    """
)
_COUNT = text("SELECT count(*) FROM links WHERE flow_id = :flow")
_GONE = text(
    """
    SELECT l.key, l.outbox_id FROM links l
    WHERE l.flow_id = :flow AND l.key > :after AND l.state = :delivered
      AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.key = l.key)
    ORDER BY l.key LIMIT :chunk
    """
)
_SEEN = text("SELECT DISTINCT key FROM seen WHERE key IN :keys").bindparams(bindparam("keys", expanding=True))
_FORGET = text(
    """
    DELETE FROM links WHERE flow_id = :flow AND state IN (:filtered, :erased)
      AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.key = links.key)
    """
)
