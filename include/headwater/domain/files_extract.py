"""What a source developer declares of files."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.duration import Duration


class FilesExtract(Value):
    """Files that arrive in a landing folder or bucket, each taken exactly once (rule 29).

    :param mode: ``snapshot`` is for Delta tables only: every version whole.
    :param path: folder or glob; relative paths are under the connection's folder. A folder means its files whose
        names end as those of the format do. Of a Delta table the folder that holds its ``_delta_log``.
    :param columns: name -> Iceberg type; required, because most files do not know their types.
    :param partitions: columns whose values stand in the path, as in ``year=2013/month=01/``.
    :param quote: empty: quotes mean nothing. :param escape: empty: a quote within quotes is doubled.
    :param max_expansion: how many times its own size a compressed file may grow, beyond 64 MiB.
    """

    kind: Literal["files"] = "files"
    mode: Literal["incremental", "snapshot"] = "incremental"
    path: str
    format: Literal["csv", "jsonl", "json", "parquet", "delta"] = "csv"
    compression: Literal["auto", "none", "gzip", "zstd", "zip"] = "auto"
    columns: dict[str, str] = Field(min_length=1)
    partitions: tuple[str, ...] = ()
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    header: bool = True
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    escape: str = Field(default="", max_length=1)
    null: str = ""
    undeclared_fields: Literal["stop", "quarantine", "ignore"] = "stop"
    missing_fields: Literal["stop", "null"] = "stop"
    stable_for: Duration = timedelta(0)
    marker: str | None = None
    manifest: str | None = None
    replaced: Literal["stop", "read_again", "ignore"] = "stop"
    max_files: int = Field(default=10_000, ge=1, le=100_000)
    max_expansion: int = Field(default=200, ge=1, le=100_000)
    max_record_bytes: int = Field(default=64 << 20, ge=1 << 10, le=1 << 30)
    max_quarantined_share: float = Field(default=0.01, ge=0, le=1)

    @property
    def file_columns(self) -> dict[str, str]:
        """The columns that stand in the files themselves."""
        return {name: kind for name, kind in self.columns.items() if name not in self.partitions}
