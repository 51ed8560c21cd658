"""The run store's tables. Values are JSON documents; only what is searched, ordered or guarded has a column.

The migrations build these tables; tests/integration/run_store holds that both agree.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

METADATA = MetaData()
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""Grows with every insert; SQLite counts up by itself only for a plain INTEGER."""


def _sequence() -> Column[int]:
    return Column("seq", _SEQUENCE, primary_key=True, autoincrement=True)


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


INSTALLATION = Table(
    "installation",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("uuid", String(36), nullable=False),
)
PLANS = Table(
    "plans",
    METADATA,
    Column("run_key", Text, primary_key=True),
    _text("plan"),
    _text("spec"),
    _text("bundle_version", nullable=True),
)
RUNS = Table(
    "runs",
    METADATA,
    _sequence(),
    Column("run_key", Text, nullable=False, unique=True),
    _text("pipeline"),
    Column("planned_us", BigInteger, nullable=False),
    _text("document"),
    Index("runs_by_pipeline", "pipeline", "planned_us"),
)
STAGINGS = Table(
    "stagings",
    METADATA,
    _sequence(),
    _text("run_key"),
    _text("stage"),
    _text("table_name"),
    _text("attempt"),
    _text("branch"),
    _text("status"),
    _text("document"),
    UniqueConstraint("attempt", "table_name", name="stagings_key"),
    Index("stagings_by_run", "run_key", "stage", "table_name"),
    Index("stagings_by_status", "status", "table_name"),
)
VERDICTS = Table(
    "verdicts",
    METADATA,
    _sequence(),
    _text("run_key"),
    _text("table_name"),
    Column("snapshot_id", BigInteger, nullable=False),
    _text("document"),
    Index("verdicts_by_snapshot", "table_name", "snapshot_id", "seq"),
)
SET_ASIDES = Table(
    "set_asides",
    METADATA,
    _sequence(),
    _text("table_name"),
    _text("rule"),
    Column("up_to_batch", BigInteger, nullable=False),
    _text("document"),
    UniqueConstraint("table_name", "rule", "up_to_batch", name="set_asides_key"),
)
RELEASES = Table(
    "releases",
    METADATA,
    _sequence(),
    Column("id", String(64), nullable=False, unique=True),
    _text("run_key"),
    _text("pipeline"),
    Column("scope", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    _text("document"),
    Index("releases_current", "status", "pipeline", "scope", "seq"),
    Index("releases_by_pipeline", "pipeline", "seq"),
)
LEASES = Table(
    "leases",
    METADATA,
    Column("table_name", Text, primary_key=True),
    _text("run_key", nullable=True),
    _text("holder"),
    Column("token", BigInteger, nullable=False),
    Column("heartbeat_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""A row outlives its lease (``run_key`` NULL), so that tokens only grow. Times are the database's, epoch seconds."""
LEASE_LOSSES = Table(
    "lease_losses",
    METADATA,
    Column("run_key", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
)
"""Leases taken over from a run that has not heard of it yet."""
JOBS = Table(
    "jobs",
    METADATA,
    Column("run_key", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    _text("document"),
)
CHUNK_CLAIMS = Table(
    "chunk_claims",
    METADATA,
    Column("run_key", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("plan", String(64), nullable=False),
    _text("attempt"),
)
CHUNKS = Table(
    "chunks",
    METADATA,
    Column("run_key", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("document"),
)
PREFLIGHTS = Table(
    "preflights",
    METADATA,
    Column("content_hash", String(64), primary_key=True),
    _text("green_at"),
)
