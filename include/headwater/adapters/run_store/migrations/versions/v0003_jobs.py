"""Jobs elsewhere that deliver files: what is known of the one that a run started for a table.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: tuple[str, ...] | None = None
depends_on: tuple[str, ...] | None = None


def upgrade() -> None:
    """The table ``jobs`` of headwater.adapters.run_store.tables as of this revision."""
    op.create_table(
        "jobs",
        sa.Column("run_key", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_key", "table_name"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("jobs")
