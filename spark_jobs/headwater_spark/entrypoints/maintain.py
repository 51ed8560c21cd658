"""``maintain``: Iceberg's own procedures, on exactly what maintenance decided on (rules 29, 41; ADR 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os.path import commonprefix

from pyspark.sql import Row, SparkSession

from headwater.domain.errors import TransformError
from headwater.domain.job import TableResult
from headwater.domain.maintenance import FileRewrite, MaintainTable, OrphanSearch, Upkeep
from headwater.domain.names import CATALOG, PhysicalName, TableName
from headwater.ports.failpoints import failpoint
from headwater.services.maintenance.orphans import deletable, is_metadata_file
from headwater_spark.tables.snapshots import snapshot_of
from headwater_spark.tables.sql_text import literal
from headwater_spark.tables.staging import append_nothing

_NEVER = "TIMESTAMP '1970-01-01 00:00:00'"
"""Iceberg expires what is older than five days beside the snapshots named, unless it is given another instant."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 100


def maintain_table(spark: SparkSession, table: MaintainTable) -> TableResult:
    """Do one slice of one table."""
    if table.rewrite is not None:
        upkeep = _rewrite(spark, table.home, table.rewrite)
    elif table.orphans is not None:
        upkeep = _remove_orphans(spark, table.home, table.orphans)
    else:
        upkeep = _expire(spark, table.home, table.expire)
    return TableResult(table=table.table, status="maintained", upkeep=upkeep)


def _rewrite(spark: SparkSession, home: TableName, rewrite: FileRewrite) -> Upkeep:
    target = f"{home.iceberg}.branch_{rewrite.branch}"
    options: dict[str, object] = {
        "target-file-size-bytes": rewrite.target_file_bytes,
        "min-input-files": rewrite.min_input_files,
    }
    if rewrite.whole:
        # files with a later sequence number than every delete file: Iceberg then drops those, instead of leaving them
        # dangling, which falsifies the rows that the summary counts
        append_nothing(spark, target)
        options |= {"rewrite-all": "true", "use-starting-sequence-number": "false"}
    else:
        options["max-files-to-rewrite"] = rewrite.max_files
    row = _call(
        spark, "rewrite_data_files", home, branch=literal(rewrite.branch), options=_map(options),
        **({"strategy": literal("sort")} if rewrite.is_sorted else {}),
    )[0]  # fmt: skip
    head = snapshot_of(spark, home, rewrite.branch)
    if head is None:
        raise TransformError(f"{home}: branch {rewrite.branch} was dropped while its files were rewritten")
    if _rows(spark, home, head) != _rows(spark, home, rewrite.base):
        raise TransformError(f"{home}: the rewritten files do not hold the rows of the table")
    return _upkeep("files", home, row.rewritten_data_files_count, row.rewritten_bytes_count, staged=head)


def _rows(spark: SparkSession, home: TableName, snapshot_id: int) -> int:
    counted = spark.sql(f"SELECT count(*) AS n FROM {home.iceberg} VERSION AS OF {snapshot_id}").collect()  # noqa: S608 - names are checked
    return int(counted[0].n)


def _expire(spark: SparkSession, home: TableName, snapshot_ids: tuple[int, ...]) -> Upkeep:
    ids = f"array({', '.join(f'{snapshot_id}L' for snapshot_id in snapshot_ids)})"
    # streamed: a slice of many snapshots deletes more file names than a driver should hold at once
    row = _call(spark, "expire_snapshots", home, snapshot_ids=ids, older_than=_NEVER, stream_results="true")[0]
    files = sum(count or 0 for name, count in row.asDict().items() if name.endswith("files_count"))
    files += row.deleted_manifest_lists_count or 0
    return _upkeep("snapshots", home, files, snapshots=len(snapshot_ids))


def _remove_orphans(spark: SparkSession, home: TableName, search: OrphanSearch) -> Upkeep:
    """List, leave out what something else refers to, and delete the rest, which Iceberg judges once more."""
    metadata = [path for path in _orphans(spark, home, search.metadata_before) if is_metadata_file(path)]
    others = [path for path in _orphans(spark, home, search.before) if not is_metadata_file(path)]
    paths = deletable([*metadata, *others], search.spared, search.attempts)
    if paths and search.delete:
        failpoint("maintain.orphans")
        paths = _deleted(spark, home, paths, search.before)
    return _upkeep("orphans", home, len(paths), paths=paths[:_SHOWN])


def _deleted(spark: SparkSession, home: TableName, paths: Sequence[str], before: datetime) -> tuple[str, ...]:
    """Give Iceberg the files to delete; it looks once more whether the table refers to one by now."""
    view = f"orphans_of_{home.identifier[1]}"
    rows = [(path, _LONG_AGO) for path in paths]
    spark.createDataFrame(rows, "file_path string, last_modified timestamp").createOrReplaceTempView(view)
    # it takes only files below the location, and compares texts: a listing writes file:/a, a table file:///a
    below = commonprefix(list(paths)).rpartition("/")[0]  # noqa: RUF071 - texts; as paths s3:// would lose a slash
    gone = _call(
        spark, "remove_orphan_files", home, file_list_view=literal(view), location=literal(below),
        older_than=_instant(before),
    )  # fmt: skip
    return tuple(sorted(row.orphan_file_location for row in gone))


def _orphans(spark: SparkSession, home: TableName, before: datetime) -> list[str]:
    scheme = {} if _is_local(spark, home) else {"prefix_listing": "true"}
    rows = _call(spark, "remove_orphan_files", home, older_than=_instant(before), dry_run="true", **scheme)
    return [str(row.orphan_file_location) for row in rows]


def _is_local(spark: SparkSession, home: TableName) -> bool:
    """Object stores are listed by Iceberg's own client; Hadoop's would have to be configured a second time."""
    rows = spark.sql(f"SELECT file FROM {home.iceberg}.metadata_log_entries LIMIT 1").collect()  # noqa: S608 - names are checked
    return not rows or rows[0].file.startswith(("/", "file:"))


def _call(spark: SparkSession, procedure: str, home: TableName, **arguments: str) -> list[Row]:
    named = {"table": literal(".".join(home.identifier)), **arguments}
    given = ", ".join(f"{name} => {value}" for name, value in named.items())
    return spark.sql(f"CALL {CATALOG}.system.{procedure}({given})").collect()


def _map(options: Mapping[str, object]) -> str:
    return "map(" + ", ".join(f"{literal(name)}, {literal(str(value))}" for name, value in options.items()) + ")"


def _instant(at: datetime) -> str:
    return f"TIMESTAMP '{at:%Y-%m-%d %H:%M:%S}'"


def _upkeep(step: str, home: TableName, files: int, size_bytes: int = 0, **more: object) -> Upkeep:
    name = f"{home.dotted} ({home.mark})" if isinstance(home, PhysicalName) else home.dotted
    return Upkeep.model_validate(
        {"step": step, "table": name, "status": "done", "files": files, "size_bytes": size_bytes, **more}
    )
