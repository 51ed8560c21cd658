"""Delta tables: versions are windows, files are taken once, and what only looks like appending is refused (rule 29)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from tests.integration.sources.s3_under_test import SECRET_KEY, BucketServer, S3Server
from tests.integration.sources.sources_under_test import PLANNED_AT, live_schema, rejects_of, rows_of

from headwater.adapters.sources.opening import open_extractor
from headwater.domain.errors import HeadwaterError, SchemaDriftError, SourceDataError, SourceTableMissingError
from headwater.domain.run import RunRequest, Window
from headwater.domain.spec import FilesExtract, Silver, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.extractor import BatchStamp, Extracted

ROWS = "id, note, day"
COLUMNS = {"id": "long", "note": "string", "day": "date"}


class Lake:
    """A Delta table, read the way plan_run and extract_to_bronze read it."""

    def __init__(self, uri: str, connection: ConnectionInfo, folder: Path, options: dict[str, str]) -> None:
        self.uri, self.connection, self.folder, self.options = f"{uri}/orders", connection, folder, options
        self.ledger: bytes | None = None
        self.state: TableState | None = None

    def write(self, *rows: tuple[int, str, str | None], **more: Any) -> None:
        ids, notes, days = zip(*rows, strict=True)
        dates = pa.array(days).cast(pa.date32())
        table = pa.table({"id": pa.array(ids, pa.int64()), "note": list(notes), "day": dates})
        write_deltalake(self.uri, table, **({"mode": "append", "storage_options": self.options} | more))

    @property
    def delta(self) -> DeltaTable:
        return DeltaTable(self.uri, storage_options=self.options)

    def plan(self, full_refresh: bool = False, **extract: Any) -> Window:
        request = RunRequest(full_refresh=full_refresh)
        planned: Window = self._extractor().plan(table(**extract), self.state, self.ledger, request, datetime.now(UTC))
        return planned

    def extract(self, window: Window, **extract: Any) -> Extracted:
        stamp = BatchStamp(run_key="i/shop/r", planned_at=PLANNED_AT, batch=1, attempt=f"a{window.high}")
        live = live_schema(self._extractor().inspect(table(**extract)))
        extracted: Extracted = self._extractor().extract(
            table(**extract), window, stamp, live, str(self.folder), self.ledger
        )
        return extracted

    def run(self, full_refresh: bool = False, **extract: Any) -> list[Any]:
        extracted = self.extract(self.plan(full_refresh, **extract), **extract)
        self.ledger = extracted.ledger or self.ledger
        self.state = TableState(run_key="i/shop/r", spec_hash="h", digest=extracted.digest)
        return sorted(rows_of(extracted, "id")) if extracted.files else []

    def _extractor(self) -> Any:
        return open_extractor(table(), self.connection)


def table(**extract: Any) -> TableSpec:
    values: dict[str, Any] = {"path": "orders", "format": "delta", "columns": COLUMNS}
    return TableSpec(
        name="orders", key=("id",), extract=FilesExtract.model_validate(values | extract), silver=Silver(mode="append")
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    root = tmp_path / "lake"
    root.mkdir()
    connection = ConnectionInfo(id="lake", kind="fs", extra={"path": str(root)})
    return Lake(str(root), connection, tmp_path / "out", {})


@pytest.fixture(params=["lake", "s3_server", "azurite"])
def any_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    found: Lake | BucketServer = request.getfixturevalue(request.param)
    if isinstance(found, Lake):
        return found
    place = found.place(found.make_bucket(), "lake")
    return Lake(place, found.connection(place), tmp_path / "out", found.delta_options())


def test_each_version_that_appends_is_taken_once(any_lake: Lake) -> None:
    any_lake.write((1, "a", "2026-01-01"), (2, "b", None), partition_by=["day"])
    any_lake.write((3, "c", "2026-01-01"))
    window = any_lake.plan()
    any_lake.write((4, "d", "2026-01-02"))
    taken = any_lake.extract(window)
    found = [(row[0], row[1], row[2] and row[2].isoformat()) for row in rows_of(taken, ROWS)]
    assert sorted(found) == [(1, "a", "2026-01-01"), (2, "b", None), (3, "c", "2026-01-01")]
    any_lake.ledger = taken.ledger
    assert any_lake.run() == [(4,)]
    nothing = any_lake.plan()
    assert (nothing.kind, nothing.note) == ("nothing", "version 2 was read before")


def test_files_rewritten_without_a_change_of_rows_are_not_read_again(lake: Lake) -> None:
    lake.write((1, "a", None))
    lake.write((2, "b", None))
    assert lake.run() == [(1,), (2,)]
    lake.write((3, "c", None))
    lake.delta.optimize.compact()
    lake.delta.create_checkpoint()
    assert lake.run() == [(3,)]


@pytest.mark.parametrize("change", ["delete", "update", "overwrite"])
def test_rows_taken_away_stop_what_is_read_by_appends_and_name_the_version(lake: Lake, change: str) -> None:
    lake.write((1, "a", None), (2, "b", None))
    lake.run()
    if change == "delete":
        lake.delta.delete("id = 1")
    elif change == "update":
        lake.delta.update({"note": "'z'"}, predicate="id = 1")
    else:
        lake.write((9, "z", None), mode="overwrite")
    with pytest.raises(SourceDataError, match="version 1 takes rows away") as caught:
        lake.plan()
    assert "mode: snapshot" in str(caught.value.remedy)
    assert lake.run(full_refresh=True) == {"delete": [(2,)], "update": [(1,), (2,)], "overwrite": [(9,)]}[change]
    lake.write((10, "y", None))
    assert lake.run() == [(10,)]


def test_a_snapshot_is_the_whole_version_and_equal_content_gives_nothing(lake: Lake) -> None:
    """Rule 28."""
    lake.write((1, "a", None), (2, "b", None))
    assert lake.run(mode="snapshot") == [(1,), (2,)]
    assert lake.plan(mode="snapshot").kind == "nothing"
    lake.write((3, "c", None))
    lake.delta.optimize.compact()
    assert lake.run(mode="snapshot") == [(1,), (2,), (3,)]
    lake.delta.delete("id = 1")
    assert lake.run(mode="snapshot") == [(2,), (3,)]
    lake.delta.optimize.compact()
    lake.delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 1 days"})
    same = lake.extract(lake.plan(mode="snapshot"), mode="snapshot")
    assert (same.files, same.ledger) == ((), None)


def test_a_version_without_files_is_remembered_and_a_whole_one_is_empty(lake: Lake) -> None:
    lake.write((1, "a", None), (2, "b", None))
    lake.run()
    lake.delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 1 days"})
    taken = lake.extract(lake.plan())
    assert (taken.files, taken.rows) == ((), 0)
    assert json.loads(taken.ledger or b"")["read_version"] == 1
    lake.delta.delete()
    whole = lake.extract(lake.plan(mode="snapshot"), mode="snapshot")
    assert (whole.files, whole.rows) == ((), 0)
    assert whole.digest is not None


def test_a_version_whose_entry_of_the_log_is_gone_is_said_and_not_guessed(lake: Lake) -> None:
    lake.write((1, "a", None))
    lake.run()
    lake.write((2, "b", None))
    lake.write((3, "c", None))
    lake.delta.create_checkpoint()
    (Path(lake.uri) / "_delta_log" / f"{1:020d}.json").unlink()
    with pytest.raises(SourceDataError, match="no longer says what version 1 changed"):
        lake.plan()


def test_a_table_made_anew_is_another_table(lake: Lake, tmp_path: Path) -> None:
    lake.write((1, "a", None))
    lake.run()
    Path(lake.uri).rename(tmp_path / "old")
    for number in range(3):
        lake.write((number, "a", None))
    with pytest.raises(SourceDataError, match="made anew"):
        lake.plan()
    assert lake.run(full_refresh=True) == [(0,), (1,), (2,)]


def test_a_file_that_vacuum_took_is_named(lake: Lake) -> None:
    lake.write((1, "a", None))
    next(Path(lake.uri).glob("*.parquet")).unlink()
    with pytest.raises(SourceDataError, match="lacks a file of its version 0"):
        lake.plan()


def test_a_file_that_is_another_than_the_planned_one_stops_the_run(lake: Lake) -> None:
    """Rule 29. Of equal size, so that only its time tells; an object's etag does, too."""
    lake.write((1, "a", None))
    window = lake.plan()
    file = next(Path(lake.uri).glob("*.parquet"))
    planned = file.stat()
    os.utime(file, ns=(planned.st_atime_ns, planned.st_mtime_ns + 1_000_000))
    with pytest.raises(SourceDataError, match="changed"):
        lake.extract(window)


def _protocol(lake: Lake, **changes: Any) -> None:
    """The table as a writer of another make would leave it: protocol and properties in its first entry."""
    first = Path(lake.uri) / "_delta_log" / f"{0:020d}.json"
    actions = [json.loads(line) for line in first.read_text().splitlines()]
    for action in actions:
        if "protocol" in action and "features" in changes:
            features = {"readerFeatures": changes["features"], "writerFeatures": changes["features"]}
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7} | features
        if "metaData" in action:
            action["metaData"]["configuration"] = changes.get("configuration", {})
            fields = json.loads(action["metaData"]["schemaString"])
            for number, field in enumerate(fields["fields"]):
                field["metadata"] |= {
                    "delta.columnMapping.id": number,
                    "delta.columnMapping.physicalName": f"c{number}",
                }
            action["metaData"]["schemaString"] = json.dumps(fields)
    first.write_text("\n".join(json.dumps(action) for action in actions))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": ["deletionVectors"]}, "may delete rows without writing their files anew"),
        ({"features": ["columnMapping"], "configuration": {"delta.columnMapping.mode": "name"}}, "maps its columns"),
        ({"features": ["variantType"]}, "needs features"),
        ({"features": ["typeWidening"]}, "needs features"),
        ({"features": ["noSuchFeatureYet"]}, "cannot be understood"),
    ],
)
def test_files_that_mean_more_than_they_hold_are_refused_in_words(
    lake: Lake, changes: dict[str, Any], words: str
) -> None:
    lake.write((1, "a", None))
    _protocol(lake, **changes)
    with pytest.raises(HeadwaterError, match=words):
        lake.plan()


def test_columns_are_those_of_the_table_whatever_single_files_lack(lake: Lake) -> None:
    lake.write((1, "a", None))
    wider = pa.table({"id": pa.array([2], pa.int64()), "note": ["b"], "day": pa.nulls(1, pa.date32()), "extra": ["x"]})
    write_deltalake(lake.uri, wider, mode="append", schema_mode="merge")
    with pytest.raises(SchemaDriftError, match="not declared extra"):
        lake.plan()
    taken = lake.extract(lake.plan(columns=COLUMNS | {"extra": "string"}), columns=COLUMNS | {"extra": "string"})
    assert sorted(rows_of(taken, "id, extra")) == [(1, None), (2, "x")]


def test_values_that_are_none_of_the_declared_type_are_set_aside(lake: Lake) -> None:
    lake.write((1, "a", None), (3_000_000_000, "b", None))
    narrow = COLUMNS | {"id": "int"}
    taken = lake.extract(lake.plan(columns=narrow), columns=narrow)
    assert rows_of(taken, "id") == [(1,)]
    assert [reject["_hw_rules"] for reject in rejects_of(taken)] == ["untypable:id"]


def test_an_instant_as_spark_writes_it_is_utc(lake: Lake) -> None:
    lake.write((1, "a", None))
    instants = {"id": "long", "note": "string", "at": "timestamptz"}
    at = pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
    rows = pa.table({"id": pa.array([2], pa.int64()), "note": ["b"], "at": at})
    write_deltalake(lake.uri, rows, mode="overwrite", schema_mode="overwrite")
    [path] = [Path(uri) for uri in lake.delta.file_uris()]
    pq.write_table(rows, path, use_deprecated_int96_timestamps=True)
    log = Path(lake.uri) / "_delta_log" / f"{1:020d}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    next(action["add"] for action in actions if "add" in action)["size"] = path.stat().st_size
    log.write_text("\n".join(json.dumps(action) for action in actions))
    taken = lake.extract(lake.plan(columns=instants), columns=instants)
    assert rows_of(taken, "strftime(\"at\" AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S')") == [("2026-01-02 03:04:05",)]


def test_a_folder_without_a_log_is_no_table(lake: Lake) -> None:
    with pytest.raises(SourceTableMissingError, match="is no Delta table"):
        lake.plan()
    Path(lake.uri).mkdir()
    with pytest.raises(SourceTableMissingError, match="is no Delta table"):
        lake.plan()


def test_a_secret_is_in_no_error(s3_server: S3Server, tmp_path: Path) -> None:
    bucket = s3_server.make_bucket()
    lake = Lake(f"s3://{bucket}/lake", s3_server.connection(f"s3://{bucket}/lake"), tmp_path, {})
    with pytest.raises(HeadwaterError) as caught:
        lake.plan()
    assert SECRET_KEY not in f"{caught.value}{caught.value.__context__}{caught.value.__cause__}"
