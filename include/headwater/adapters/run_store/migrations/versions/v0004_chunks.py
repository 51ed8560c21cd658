"""Chunks of long reads: which attempt writes them, and which are finished.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: tuple[str, ...] | None = None
depends_on: tuple[str, ...] | None = None


def upgrade() -> None:
    """The tables ``chunk_claims`` and ``chunks`` of headwater.adapters.run_store.tables as of this revision."""
    op.create_table(
        "chunk_claims",
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("plan", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_key", "table_name"),
    )
    op.create_table(
        "chunks",
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_key", "table_name", "number"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("chunks")
    op.drop_table("chunk_claims")
