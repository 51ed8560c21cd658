"""The versioned JSON that crosses from Airflow to Spark, and back. Carries references to secrets, never secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from headwater.domain.base import Value
from headwater.domain.differences import RowDifference
from headwater.domain.errors import HeadwaterError
from headwater.domain.increment import Follow
from headwater.domain.maintenance import MaintainTable, Upkeep
from headwater.domain.names import TableName
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec, TableSpec
from headwater.domain.staging import StagedTable, TableState, Verdict
from headwater.domain.table_layout import TableLayout

JobKind = Literal["refine", "build_gold", "validate", "preflight", "inspect", "maintain"]


class Anew(Value):
    """Derive a silver table again from its bronze rows instead of going on from where it is.

    Without a bound everything is; with one only keys (of a table that only appends: rows) that batches above
    ``after_batch``, or rows read at ``since`` or later, concern.
    """

    after_batch: int = 0
    since: AwareDatetime | None = None

    @property
    def is_bounded(self) -> bool:
        return self.after_batch > 0 or self.since is not None


class RefineTable(Value):
    """Refine one silver table from bronze batches in (``from_batch``, ``to_batch``] of one bronze snapshot."""

    spec: TableSpec
    bronze: TableName
    silver: TableName
    bronze_input: InputRef
    from_batch: int
    base: int | None
    """``main`` of the silver table; None when the table does not exist or has no snapshot yet."""
    state: TableState
    """What the silver state becomes; the job fills nothing but what it counted."""
    quarantine_rules: dict[str, str] = Field(default_factory=dict)
    """Rule name -> Spark SQL predicate true for a row to divert, compiled from the silver contract."""
    set_aside: dict[str, str] = Field(default_factory=dict)
    """Rule name -> predicate of rows a person discarded for these batches; diverted with that reason."""
    anew: Anew | None = None
    """Set where the table is derived again; ``from_batch`` is 0 then."""
    relayout_from: TableLayout | None = None
    """The layout the table was created with, where the spec's is another: given to it when all is derived again."""
    new_table: bool = False
    """Derive it into a physical table of its own, which replaces the one that is there at publish (rule 14)."""


class BuildTable(Value):
    """Build one gold table from pinned inputs."""

    spec: GoldSpec
    gold: TableName
    base: int | None
    inputs: dict[str, InputRef]
    """Dotted table -> snapshot its view is pinned to; staged snapshots of this run or released ones."""
    state: TableState
    follow: Follow | None = None
    """Only the groups that changed since are made (merge) or new rows added (append); None makes all anew."""
    why_anew: str = ""
    """Why a table of mode ``merge`` or ``append`` is made anew all the same, in words."""
    relayout_from: TableLayout | None = None
    """The layout the table was created with, where the spec's is another: given to it now that all is made anew."""
    new_table: bool = False
    """Make it in a physical table of its own, which replaces the one that is there at publish (rule 14)."""
    homes: dict[str, str] = Field(default_factory=dict)
    """Dotted input -> mark of the physical table that has its snapshot, where the name does not stand for that one."""

    def home(self, dotted: str) -> TableName:
        """The physical table to read an input in."""
        return TableName.parse(dotted).at(self.homes.get(dotted))


class ValidateTable(Value):
    """Judge exactly one snapshot by one contract."""

    table: TableName
    snapshot_id: int
    contract: str
    """Text of the Soda contract; its ``dataset`` names the table, the gate redirects it to the pinned view."""
    contract_hash: str
    key: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    """Columns whose values never appear in results."""
    physical: str | None = None
    """Mark of the physical table that has the snapshot, where it is staged to replace the table."""
    batch_only: int | None = None
    """Bronze: judge only rows with ``_hw_batch`` equal to this; None judges the whole snapshot."""

    @property
    def home(self) -> TableName:
        """The physical table that has the snapshot."""
        return self.table.at(self.physical)


FIXTURE_CLOCK = datetime(2000, 1, 1, tzinfo=UTC)
"""``:planned_at`` of a fixture that gives none: a test whose answer moves with the clock is no test."""


class Fixture(Value):
    """One given/expect unit test of a transform: rows as lists of column -> value."""

    name: str
    table: TableName
    given: dict[str, tuple[dict[str, object], ...]]
    expect: tuple[dict[str, object], ...]
    file: str
    line: int | None = None
    types: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Dotted input table -> column -> Iceberg type, where the values written do not tell."""
    planned_at: AwareDatetime = FIXTURE_CLOCK


class PreflightTable(Value):
    """The fixtures of one silver or gold table, with what they test."""

    silver: TableSpec | None = None
    gold: GoldSpec | None = None
    table: TableName
    schemas: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Dotted input table -> column -> Iceberg type, where known; the rest is taken from the fixture's values."""
    fixtures: tuple[Fixture, ...]


class JobSpec(Value):
    """One Spark job: one layer of one run. Tables run in parallel inside it."""

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[1] = 1
    kind: JobKind
    run_key: str
    pipeline: str
    attempt: str
    planned_at: AwareDatetime
    refine: tuple[RefineTable, ...] = ()
    build: tuple[BuildTable, ...] = ()
    validate_: tuple[ValidateTable, ...] = Field(default=(), alias="validate")
    preflight: tuple[PreflightTable, ...] = ()
    maintain: tuple[MaintainTable, ...] = ()

    @property
    def masks(self) -> bool:
        """Whether the job needs the masking key. Unit tests of transforms have a key of their own."""
        return any(rule.mask for table in self.refine for rule in table.spec.columns.values())


class TableResult(Value):
    """What became of one table in a job.

    :param status: ``staged`` (a new snapshot on the attempt's branch), ``unchanged`` (nothing to do), ``judged``,
        ``green`` or ``red`` (preflight), ``maintained``, ``failed``.
    """

    table: TableName
    status: Literal["staged", "unchanged", "judged", "green", "red", "maintained", "failed"]
    seconds: float = 0.0
    staged: StagedTable | None = None
    quarantine: StagedTable | None = None
    verdict: Verdict | None = None
    upkeep: Upkeep | None = None
    rows_read: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    error_code: str | None = None
    error: str | None = None
    """What failed, in one sentence; ``got``, ``allowed`` and ``remedy`` are those of the error (``HeadwaterError``)."""
    got: str | None = None
    allowed: str | None = None
    remedy: str | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    """What an alert needs: column, value, count, line of the SQL …"""
    differences: tuple[str, ...] = ()
    """Preflight: the rows that differ, rendered, at most twenty lines."""
    row_differences: tuple[RowDifference, ...] = ()
    """Preflight: the same rows as values."""

    @property
    def told(self) -> str:
        """The error with what was got, what is allowed and what to do; empty where nothing failed."""
        if self.error is None:
            return ""
        return HeadwaterError(self.error, got=self.got, allowed=self.allowed, remedy=self.remedy).described()

    @property
    def error_line(self) -> str:
        """What failed and what was found there, on one line; empty where nothing did."""
        said = [part for part in (self.error, self.got) if part]
        return ": ".join(" ".join(part.split()) for part in said)


class JobResult(Value):
    """The answer to a JobSpec."""

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[1] = 1
    kind: JobKind
    run_key: str
    attempt: str
    tables: tuple[TableResult, ...]
    seconds: float

    def table(self, name: TableName) -> TableResult | None:
        return next((result for result in self.tables if result.table == name), None)
