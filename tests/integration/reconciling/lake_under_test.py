"""A lake without Spark: bronze from real extracts, silver made of it as an upsert would, both released."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from tests.integration.sources.sources_under_test import Source

from headwater.adapters.memory import MemoryRunStore
from headwater.adapters.reconciling import OpenedSides
from headwater.domain.names import Layer, TableName
from headwater.domain.reconciliation import Reconciliation
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.spec import Owner, Schedule, SourceSpec, TableSpec
from headwater.domain.staging import TableState
from headwater.ports.connections import ConnectionInfo
from headwater.ports.run_store import RunStore
from headwater.services.reconciling.reconciliation import reconcile_table

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class Fixed:
    """The one connection, and a clock."""

    info: ConnectionInfo

    def resolve(self, connection_id: str) -> ConnectionInfo:
        return self.info

    def now(self) -> datetime:
        return BEGAN

    def data_now(self) -> datetime:
        return BEGAN


@dataclass
class Lake:
    """One source's table, extracted and refined by hand."""

    source: Source
    table: TableSpec
    folder: Path
    runs: RunStore = field(default_factory=MemoryRunStore)
    batch: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        where = f"sqlite:///{self.folder}/catalog.db"
        self.catalog = SqlCatalog("lake", uri=where, warehouse=str(self.folder))
        for layer in Layer:
            self.catalog.create_namespace(layer.value)

    @property
    def spec(self) -> SourceSpec:
        return SourceSpec(
            name="shop",
            file="dags/sources/shop.yaml",
            description="a shop",
            owner=Owner(team="sales"),
            schedule=Schedule(manual=True),
            connection=self.source.info.id,
            tables=(self.table,),
        )

    def name(self, layer: Layer) -> TableName:
        return self.spec.name_of(layer, self.table.name)

    def run(self, *, refine: bool = True) -> None:
        """One run: what is new at the source into bronze, and, unless it is held, into silver."""
        window, extracted = self.source.run(self.table)
        if window.kind != "nothing" and extracted.files:
            self.batch += 1
            rows = pa.concat_tables([pq.read_table(file.path) for file in extracted.files])
            place = rows.schema.get_field_index("_hw_batch")
            rows = rows.set_column(place, "_hw_batch", pa.array([self.batch] * len(rows), pa.int64()))
            position = pa.array([f"{self.batch:04d}-{at}" for at in rows["_hw_position"].to_pylist()])
            rows = rows.set_column(rows.schema.get_field_index("_hw_position"), "_hw_position", position)
            self.append(Layer.BRONZE, plain(rows))
        self.release("bronze", [Layer.BRONZE])
        if refine:
            self.refine()

    def refine(self) -> None:
        """Silver: of each key the newest row, without our columns, renamed by the rules."""
        bronze = self.rows(Layer.BRONZE)
        keys = ", ".join(f'"{name}"' for name in self.table.key)
        whole = self.table.extract.mode == "snapshot"
        newest = "WHERE _hw_batch = (SELECT max(_hw_batch) FROM bronze)" if whole else ""
        sequence = f'"{self.table.silver.sequence_by}" DESC,' if self.table.silver.sequence_by else ""
        renamed = [f'"{name}" AS "{rule.rename}"' for name, rule in self.table.columns.items() if rule.rename]
        names = f"RENAME ({', '.join(renamed)})" if renamed else ""
        with duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.register("bronze", bronze)
            rows = engine.execute(
                f"SELECT * EXCLUDE (_hw_run_key) {names} FROM bronze {newest} "
                f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {sequence} _hw_position DESC) = 1"
            ).to_arrow_table()
        rows = rows.append_column("_hw_deleted", pa.array([False] * len(rows)))
        if self.table.silver.form == "scd2":
            still_open = pa.nulls(len(rows), pa.timestamp("us", "UTC"))
            rows = rows.append_column("valid_to", still_open).append_column("batch_out", still_open)
        self.replace(rows, self.batch)

    def replace(self, rows: pa.Table, batch: int) -> None:
        """Publish silver with exactly these rows."""
        name = ".".join(self.name(Layer.SILVER).identifier)
        rows = plain(rows)
        if self.catalog.table_exists(name):
            self.catalog.load_table(name).overwrite(rows)
        else:
            self.append(Layer.SILVER, rows)
        self.release("audited", [Layer.SILVER], batch)

    def damage(self, sql: str) -> None:
        """Publish what a SELECT over ``silver`` gives: harm done in the lake, which no run knows of."""
        with duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            engine.register("silver", self.rows(Layer.SILVER))
            self.replace(engine.execute(sql).to_arrow_table(), self.batch)

    def rows(self, layer: Layer) -> pa.Table:
        return self.catalog.load_table(".".join(self.name(layer).identifier)).scan().to_arrow()

    def append(self, layer: Layer, rows: pa.Table) -> None:
        table = self.catalog.create_table_if_not_exists(".".join(self.name(layer).identifier), schema=rows.schema)
        table.append(rows)

    def release(self, kind: str, layers: list[Layer], batch: int | None = None) -> None:
        at = BEGAN + timedelta(seconds=next(self._numbers))
        items = [self._item(layer, batch) for layer in layers]
        self.runs.save_release(
            Release.model_validate(
                {"id": f"r-{at:%H%M%S}", "run_key": "i/shop/r1", "pipeline": "shop", "kind": kind, "tables": items}
                | {"status": "published", "created_at": at, "published_at": at}
            )
        )

    def _item(self, layer: Layer, batch: int | None) -> ReleasedTable:
        table = self.catalog.load_table(".".join(self.name(layer).identifier))
        snapshot = table.current_snapshot()
        assert snapshot is not None
        watermark = self.source.states[self.table.name].watermark if layer is Layer.BRONZE else None
        state = TableState(run_key="i/shop/r1", spec_hash="h", batch=batch or self.batch, watermark=watermark)
        rows = table.scan().count()
        where = table.metadata_location
        name = self.name(layer)
        return ReleasedTable(
            table=name, snapshot_id=snapshot.snapshot_id, metadata_location=where, rows=rows, state=state
        )

    def reconcile(self, between: Callable[[], Any] | None = None) -> Reconciliation:
        """:param between: done when the hash pass is over."""
        fixed = Fixed(self.source.info)
        sides: Any = OpenedSides(fixed)
        if between is not None:
            sides = Interrupted(sides, between)
        return reconcile_table(self.runs, sides, fixed, self.spec, self.table.name)


@dataclass
class Interrupted:
    """Sides between whose first and second look something happens."""

    sides: OpenedSides
    happens: Callable[[], Any]
    looks: int = 0

    @contextmanager
    def source(self, table: TableSpec, connection_id: str) -> Iterator[Any]:
        with self.sides.source(table, connection_id) as rows:
            yield rows
        self.looks += 1
        if self.looks == 1:
            self.happens()

    def lake(self, released: Any, table: TableSpec) -> Any:
        return self.sides.lake(released, table)


def plain(rows: pa.Table) -> pa.Table:
    """Without dictionaries, which Iceberg has not, and with the one zone it knows."""
    fields = []
    for item in rows.schema:
        kind = item.type.value_type if pa.types.is_dictionary(item.type) else item.type
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            kind = pa.timestamp("us", "UTC")
        fields.append(pa.field(item.name, kind))
    return rows.cast(pa.schema(fields))
