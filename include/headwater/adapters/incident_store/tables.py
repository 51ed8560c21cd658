"""Tables of revision 0002 of the run store's database (``headwater.adapters.run_store.migrations``)."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData()

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("pipeline", Text, nullable=False),
    Column("table_name", Text, nullable=False),  # empty when no single table is at fault: NULLs never collide
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),  # with a hash of the matter, where there is one
    Column("status", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index(
        "one_open_incident_per_cause",
        "pipeline",
        "table_name",
        "kind",
        "cause",
        unique=True,
        postgresql_where=text("status = 'open'"),
        sqlite_where=text("status = 'open'"),
    ),
)

FAILURES = Table(
    "failures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id")),
    Column("pipeline", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("task_id", Text, nullable=False),
    Column("map_index", Integer, nullable=False),
    Column("try_number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint(
        "pipeline",
        "run_id",
        "task_id",
        "map_index",
        "try_number",
        "kind",
        "table_name",
        name="one_failure_per_try",
    ),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", DateTime(timezone=True), nullable=False),
    Column("claimed_until", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("last_error", Text),
    UniqueConstraint("incident_id", "channel", name="one_delivery_per_channel"),
    Index("deliveries_waiting", "status", "next_try_at"),
)
