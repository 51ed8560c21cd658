"""What a source developer declares: the resolved form of ``dags/sources/*.yaml`` and ``dags/products/*.yaml``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.change import Acknowledgement
from headwater.domain.duration import Duration as Duration  # noqa: PLC0414 - said again: a spec is imported whole
from headwater.domain.external import ExternalExtract as ExternalExtract  # noqa: PLC0414 - said again, as above
from headwater.domain.files_extract import FilesExtract as FilesExtract  # noqa: PLC0414 - said again, as above
from headwater.domain.names import Layer, TableName
from headwater.domain.schedule import Reconcile as Reconcile  # noqa: PLC0414 - this module re-exports it
from headwater.domain.schedule import Schedule as Schedule  # noqa: PLC0414 - this module re-exports it
from headwater.domain.silver import ColumnRule as ColumnRule  # noqa: PLC0414 - this module re-exports it
from headwater.domain.silver import Silver as Silver  # noqa: PLC0414 - this module re-exports it
from headwater.domain.table_layout import TableLayout


class Owner(Value):
    """Who is told when something breaks."""

    team: str = Field(min_length=1)
    email: tuple[str, ...] = ()
    slack: str | None = Field(default=None, pattern=r"^#[\w\-.]{1,79}$")


class Freshness(Value):
    """Alert when the newest release of a layer is older than this, whether or not a run exists."""

    bronze: Duration | None = Field(default=None, gt=timedelta(0))
    silver: Duration | None = Field(default=None, gt=timedelta(0))
    gold: Duration | None = Field(default=None, gt=timedelta(0))


class SqlExtract(Value):
    """Rows of a relation in a database.

    :param relation: ``schema.table`` in the source; default: the table's name, where the connection leads to.
    :param lag: how far below the watermark each run reads again, to catch late commits.
    :param chunk_rows: rows of a chunk, where an interrupted read goes on from its finished chunks (rule 28).
    :param readers: sessions that read side by side under one snapshot; None: as many as the kind of source takes.
    """

    kind: Literal["sql"] = "sql"
    mode: Literal["snapshot", "incremental"] = "snapshot"
    relation: str | None = None
    cursor: str | None = None
    lag: Duration = timedelta(0)
    deleted_column: str | None = None
    bad_cursor: Literal["quarantine", "stop"] = "quarantine"
    non_finite: Literal["quarantine", "stop", "null"] = "quarantine"
    max_quarantined_share: float = Field(default=0.01, ge=0, le=1)
    chunk_rows: int | None = Field(default=None, ge=1, le=1_000_000_000)
    readers: int | None = Field(default=None, ge=1, le=4)


Extract = Annotated[SqlExtract | FilesExtract | ExternalExtract, Field(discriminator="kind")]


class PythonFunction(Value):
    """A function of an installed distribution (rule 43). Of silver: a DataFrame of the increment in, one out."""

    python: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", max_length=300)
    """``package.module:function``."""

    @property
    def module(self) -> str:
        return self.python.split(":")[0]

    @property
    def function(self) -> str:
        return self.python.split(":")[1]


class PythonTransform(PythonFunction):
    """A function that makes a gold table: DataFrames in, in the order of ``inputs``, a DataFrame out."""

    inputs: tuple[str, ...] = Field(min_length=1)
    """Dotted tables it reads; it is given nothing else."""


class TableSpec(Value):
    """One table of a source."""

    name: str
    description: str | None = None
    owner: Owner | None = None
    key: tuple[str, ...] = ()
    extract: Extract
    silver: Silver
    columns: dict[str, ColumnRule] = Field(default_factory=dict)
    drift: Literal["stop", "evolve", "quarantine"] = "stop"
    """``evolve`` takes new nullable columns and widenings; ``quarantine`` leaves new columns out and sets rows aside
    whose values are none of the table's types; everything else stops in either case."""
    max_quarantined_share: float = Field(default=0.01, ge=0, le=1)
    """Above this share of a batch (and more than 10 rows) quarantined by row rules, the table is held."""
    sql: str | None = None
    """Text of ``sql/silver/<source>/<table>.sql`` where the file exists: row-wise over its own increment."""
    transform: PythonFunction | None = None
    """A function in the place of the SQL: row-wise over its own increment."""
    transform_digest: str = ""
    """sha256 of the function's module when the spec was loaded: other code is another transform."""
    acknowledge: tuple[Acknowledgement, ...] = ()
    """Changes that destroy something, and are meant (rule 14)."""

    @property
    def identifying_columns(self) -> frozenset[str]:
        """What tells rows and windows apart at the source: the key and the cursor."""
        cursor = self.extract.cursor if isinstance(self.extract, SqlExtract) else None
        return frozenset({*self.key, *([cursor] if cursor else [])})

    @property
    def is_shaped_by_code(self) -> bool:
        """Whether SQL or a function stands between the column rules and silver."""
        return self.sql is not None or self.transform is not None

    @property
    def silver_key(self) -> tuple[str, ...]:
        """The key in silver's names."""
        rules = (self.columns.get(name) for name in self.key)
        return tuple(rule.rename if rule and rule.rename else name for rule, name in zip(rules, self.key, strict=True))


class GoldSpec(TableLayout):
    """One gold table, made by ``sql/gold/<source>/<name>.sql`` or by a Python function."""

    name: str
    mode: Literal["rebuild", "merge", "append"] = "rebuild"
    """``merge`` makes only groups again whose input rows changed; ``append`` adds what new rows give (rule 38)."""
    description: str | None = None
    owner: Owner | None = None
    grain: tuple[str, ...] = ()
    """Output columns that identify a row; empty only where the YAML accepts that nothing does."""
    sql: str
    """The file's text: one Spark SELECT (rule 37); empty where a Python function makes the table."""
    transform: PythonTransform | None = None
    inputs: tuple[TableName, ...] = ()
    """Tables it reads, found in the SQL or declared for the function."""
    acknowledge: tuple[Acknowledgement, ...] = ()


class SourceSpec(Value):
    """A resolved source. ``spec_hash`` is over everything that decides what a run does, SQL and contracts included."""

    name: str
    file: str
    description: str
    owner: Owner
    domain: str | None = None
    schedule: Schedule
    connection: str
    freshness: Freshness = Freshness()
    lease_wait: Duration = timedelta(minutes=30)
    tables: tuple[TableSpec, ...]
    reconcile: Reconcile | None = None
    gold: tuple[GoldSpec, ...] = ()
    tags: tuple[str, ...] = ()
    contracts: dict[str, str] = Field(default_factory=dict)
    """Dotted table name -> text of its Soda contract."""

    def table(self, name: str) -> TableSpec:
        """The table of that name. :raises KeyError: when the source has none."""
        found = next((table for table in self.tables if table.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def name_of(self, layer: Layer, table: str) -> TableName:
        return TableName(layer=layer, source=self.name, table=table)


def connections_of(source: SourceSpec, table: TableSpec) -> tuple[str, ...]:
    """Ids of the connections a table is read over: the source's, and that of the job that delivers its files."""
    job = (table.extract.job.connection,) if isinstance(table.extract, ExternalExtract) else ()
    return (source.connection, *job)


class ProductSpec(Value):
    """A resolved data product: gold over several sources, triggered by their releases (rule 39)."""

    name: str
    file: str
    description: str
    owner: Owner
    domain: str | None = None
    schedule: Schedule
    freshness: Freshness = Freshness()
    lease_wait: Duration = timedelta(minutes=30)
    gold: tuple[GoldSpec, ...]
    tags: tuple[str, ...] = ()
    contracts: dict[str, str] = Field(default_factory=dict)

    def name_of(self, layer: Layer, table: str) -> TableName:
        return TableName(layer=layer, source=self.name, table=table)


PipelineSpec = SourceSpec | ProductSpec


def spec_document(spec: PipelineSpec) -> dict[str, Any]:
    """The JSON form a spec is stored and hashed in: everything but the path of its file."""
    return spec.model_dump(mode="json", exclude={"file"})


def spec_from_document(document: dict[str, Any], file: str) -> PipelineSpec:
    """Read back what ``spec_document`` gave. :param file: path of the YAML, which a document does not hold."""
    kind = SourceSpec if "tables" in document else ProductSpec
    return kind.model_validate({**document, "file": file})
