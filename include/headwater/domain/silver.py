"""How bronze becomes silver: the mode of a table, and what becomes of its columns."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from headwater.domain.base import Value
from headwater.domain.table_layout import TableLayout


class Silver(TableLayout):
    """How bronze batches become the silver table (rules 31-35).

    :param applied_as: cdc: whether changes are kept as the current row of a key or as its history; ``as`` in YAML.
    """

    model_config = ConfigDict(populate_by_name=True)

    mode: Literal["append", "upsert", "scd2", "cdc"]
    applied_as: Literal["upsert", "scd2"] = Field(default="upsert", alias="as")
    sequence_by: str | None = None
    valid_from: str | None = None
    initial_valid_from: str | None = None
    track: tuple[str, ...] = ()
    """scd2: only these columns open a version; empty means all but the key."""
    max_delete_share: float = Field(default=0.2, ge=0, le=1)
    allow_empty: bool = False

    @property
    def form(self) -> Literal["append", "upsert", "scd2"]:
        """What the silver table holds, however the changes came."""
        return self.applied_as if self.mode == "cdc" else self.mode


class ColumnRule(Value):
    """What becomes of one source column on its way to silver."""

    rename: str | None = None
    """New name in silver."""
    expression: str | None = None
    """A Spark SQL expression over the bronze columns that gives the silver value."""
    renamed_from: str | None = None
    """The column's earlier name in the stream, which cannot say that the two are one."""
    default: str | int | float | bool | None = None
    """Value of rows whose events do not know the column: what ``ADD COLUMN … DEFAULT`` gave them at the source."""
    type: str | None = None
    classification: Literal["public", "internal", "pii"] | None = None
    mask: Literal["hash"] | None = None
    description: str | None = None
