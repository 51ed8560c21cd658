"""Plans, runs, stagings, verdicts, releases, leases.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: tuple[str, ...] | None = None
depends_on: tuple[str, ...] | None = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of headwater.adapters.run_store.tables as of this revision."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lease_losses",
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_key", "table_name"),
    )
    op.create_table(
        "leases",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("run_key", sa.Text(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("table_name"),
    )
    op.create_table(
        "plans",
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("bundle_version", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_key"),
    )
    op.create_table(
        "preflights",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("green_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash"),
    )
    op.create_table(
        "releases",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("releases_by_pipeline", "releases", ["pipeline", "seq"], unique=False)
    op.create_index("releases_current", "releases", ["status", "pipeline", "scope", "seq"], unique=False)
    op.create_table(
        "runs",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("planned_us", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("run_key"),
    )
    op.create_index("runs_by_pipeline", "runs", ["pipeline", "planned_us"], unique=False)
    op.create_table(
        "set_asides",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("up_to_batch", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("table_name", "rule", "up_to_batch", name="set_asides_key"),
    )
    op.create_table(
        "stagings",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("attempt", "table_name", name="stagings_key"),
    )
    op.create_index("stagings_by_run", "stagings", ["run_key", "stage", "table_name"], unique=False)
    op.create_index("stagings_by_status", "stagings", ["status", "table_name"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("seq", SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("verdicts_by_snapshot", "verdicts", ["table_name", "snapshot_id", "seq"], unique=False)
