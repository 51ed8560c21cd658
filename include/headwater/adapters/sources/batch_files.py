"""Where the rows of one batch go: what each of them is stamped with, and the files they are written to."""

from __future__ import annotations

from dataclasses import dataclass

from headwater.domain.schema import TableSchema
from headwater.ports.extractor import BatchStamp


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """The Parquet files of one extract of one table.

    :param schema: the live bronze schema with field ids.
    """

    table: str
    stamp: BatchStamp
    schema: TableSchema
    folder: str

    @property
    def stem(self) -> str:
        """Start of the files' names; it carries the attempt (rule 12)."""
        return f"{self.stamp.attempt}-{self.table}"
