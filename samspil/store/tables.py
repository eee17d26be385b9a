"""The store's tables. Keys of records and persons are keyed digests of 16 bytes; what a person could read is sealed."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

metadata = MetaData()

flows = Table(
    "flows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("municipality", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("cursor", Text),  # where an incremental read may start; moved only by receipts
    UniqueConstraint("municipality", "name"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flow_id", Integer, nullable=False),
    Column("key", Text, nullable=False),  # Airflow's run id: the same key is the same run
    Column("state", Text, nullable=False),  # see samspil.store.runs.State
    Column("pending", Boolean, nullable=False),  # it has outbox rows without a receipt
    Column("started", Double, nullable=False),  # seconds since 1970, UTC
    Column("finished", Double),
    Column("cursor", Text),
    Column("counts", JSON, nullable=False),
    Column("agreement", Text),  # digest of the agreement it was planned under, in hex
    UniqueConstraint("flow_id", "key"),
    sqlite_autoincrement=True,  # a run's id is part of its idempotency keys: never reused
)

# Our record ↔ their record, and what was last acknowledged. One narrow row per record: this is what a night compares.
links = Table(
    "links",
    metadata,
    Column("flow_id", Integer, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("state", SmallInteger, nullable=False),  # DELIVERED, FILTERED or ERASED
    Column("outbox_id", BigInteger),  # the outbox row whose payload the target last acknowledged
    Column("their_id", LargeBinary),  # sealed: a system's own id may be a CPR number
    Column("person", LargeBinary),  # whose key ``their_id`` is sealed under, and who is erased with it
    sqlite_with_rowid=False,
)

# The plan. Append-only; id = run id · 2³² + number within the run, so a run is a range of ids and ids tell the order.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("person", LargeBinary),
    Column("action", SmallInteger, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("outbox_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("status", SmallInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", Double, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flow_id", Integer, nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("seen_run", Integer, nullable=False),  # the last run whose source still had it in this very version
    Column("key", LargeBinary, nullable=False),  # for a page that could not be cut, its fingerprint
    Column("person", LargeBinary),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("stage", Text, nullable=False),  # read, map, plan or deliver
    Column("reason", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # sealed: the raw record; from stage plan on the mapped one
    Column("outbox_id", BigInteger),
    Column("state", Text, nullable=False),  # open, replayed, superseded or dropped
    Column("at", Double, nullable=False),
    Column("settled", Double),
    Column("note", Text, nullable=False),
    Index("quarantine_open", "flow_id", "state", "key"),
    sqlite_autoincrement=True,
)

# Two-way exchanges only: a record as both sides last agreed on it, and as each was last known to have it. One row per
# record; ``flow_id`` is the flow out of side 0, ``first`` and ``second`` are the keys that the two flows know it by.
baselines = Table(
    "baselines",
    metadata,
    Column("flow_id", Integer, primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # the key it was first read by
    Column("first", LargeBinary),
    Column("second", LargeBinary),
    Column("called", LargeBinary),  # a digest of the name that the other side gave it, until it is read back
    Column("due", SmallInteger, nullable=False),  # bit per side: the flow out of it must look, though nothing changed
    Column("met", SmallInteger, nullable=False),  # bit per side: the flow out of it has read the record
    Column("person", LargeBinary),  # who is erased with it
    Column("payload", LargeBinary, nullable=False),  # sealed: see samspil.flow.baseline
    Index("baselines_first", "flow_id", "first"),
    Index("baselines_second", "flow_id", "second"),
    Index("baselines_called", "flow_id", "called"),
    # Few are due or not read back: a night must not walk all rows to find none.
    Index("baselines_due", "flow_id", "key", sqlite_where=text("due <> 0"), postgresql_where=text("due <> 0")),
    Index(
        "baselines_unread",
        "flow_id",
        "key",
        sqlite_where=text("called IS NOT NULL"),
        postgresql_where=text("called IS NOT NULL"),
    ),
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("flow_id", Integer, nullable=False),  # the flow towards the field's owner
    Column("run_id", Integer, nullable=False),  # that found it
    Column("key", LargeBinary, nullable=False),  # of baselines
    Column("person", LargeBinary),
    Column("field", Text, nullable=False),  # of the shared schema; empty for the record as a whole
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # sealed: both sides' values
    Column("state", Text, nullable=False),  # open, settled (decided, and it still counts) or closed
    Column("taken", Text, nullable=False),  # the system whose value a person chose; "both": each keeps its own
    Column("at", Double, nullable=False),
    Column("settled", Double),
    Column("note", Text, nullable=False),
    Index("conflicts_key", "key", "state"),
    sqlite_autoincrement=True,
)

# The ledger: one row per batch of entries, with the tree's signed head after it (see samspil.ledger).
ledger = Table(
    "ledger",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),  # of the head, in milliseconds since 1970
    Column("size", BigInteger, nullable=False),  # leaves in the tree
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # what the next batch grows from
    Column("signature", LargeBinary, nullable=False),
    Column("marks", LargeBinary, nullable=False),  # the beginning of each leaf's hash
    Column("context", LargeBinary, nullable=False),  # JSON: when, what, flow, purpose, legal basis, fields
    Column("entries", LargeBinary, nullable=False),
)

# They are as good as random: PostgreSQL would try in vain to compress them.
_AS_THEY_ARE = DDL("ALTER TABLE ledger ALTER entries SET STORAGE EXTERNAL, ALTER marks SET STORAGE EXTERNAL")  # type: ignore[no-untyped-call]
event.listen(ledger, "after_create", _AS_THEY_ARE.execute_if(dialect="postgresql"))

# Systems that were last found away (see samspil.breaker). No row: it answers.
breakers = Table(
    "breakers",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("open_until", Double),  # seconds since 1970, UTC; nobody calls before
)

# Accounts with a rate (see samspil.pace).
paces = Table(
    "paces",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("free", Double, nullable=False),  # seconds since 1970, UTC; all before is reserved
)

# What the last check of each system found to run out soon (see samspil.expiry).
expiries = Table(
    "expiries",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("setting", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("ends", Double, nullable=False),  # seconds since 1970, UTC
    Column("at", Double, nullable=False),  # of the check
)

# Consents as the flows that carry them have read them (see samspil.store.consents).
consents = Table(
    "consents",
    metadata,
    Column("carrier_id", Integer, primary_key=True),  # the flow that read it
    Column("subject", LargeBinary, primary_key=True),  # digest of the id of the record that the consent stands in
    Column("person", LargeBinary, nullable=False),
    Column("former", LargeBinary),  # whom the record was about before, if its number was changed or corrected
    Column("state", SmallInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),  # rises with each change within the carrier
    Index("consents_changed", "carrier_id", "changed"),
    Index("consents_person", "carrier_id", "person"),
)

consent_marks = Table(
    "consent_marks",
    metadata,
    Column("flow_id", Integer, primary_key=True),  # a flow that depends on consent
    Column("carrier_id", Integer, primary_key=True),
    Column("changed", BigInteger, nullable=False),  # as far as it has looked
)

withheld = Table(
    "withheld",
    metadata,
    Column("flow_id", Integer, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("person", LargeBinary, nullable=False),
    Index("withheld_person", "flow_id", "person"),
)

# The files that tell a recipient which old pseudonym is which new one: each version's once.
rotations = Table(
    "rotations",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Double, nullable=False),
)

# The vault. A municipality's root, wrapped under each version of the master key in use (see samspil.vault).
keys = Table(
    "keys",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary, nullable=False),
)

# A person's key. An erased person's row has no handle and no key; it stays, so that the person is not taken in again.
persons = Table(
    "persons",
    metadata,
    Column("municipality", Text, primary_key=True),
    Column("person", LargeBinary, primary_key=True),
    Column("handle", LargeBinary),  # random: names the person in the ledger, and to nobody who has not this row
    Column("wrapped", LargeBinary),
    Column("version", SmallInteger, nullable=False),  # of the master key that it is wrapped under
    sqlite_with_rowid=False,
)

DELIVERED, FILTERED, ERASED = 1, 2, 3  # links.state; ERASED: retention took it, and it is to stay out
PUT, DELETE, WITHDRAW = 1, 2, 3  # outbox.action; WITHDRAW: still at the source, no longer to be sent
ACCEPTED, REFUSED, SUPERSEDED = 1, 2, 3  # receipts.status

RUN_SHIFT = 32
DIGEST = 16  # bytes of a key, a person or a fingerprint
MAX_RUN = 2**31 - 1


def first_id(run: int) -> int:
    """The lowest outbox id of a run."""
    return run << RUN_SHIFT
