"""What the use cases ask of the repository's files. ``headwater.model`` answers; services never read files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from headwater.domain.change import SpecChange
from headwater.domain.increment import GroupQueries
from headwater.domain.job import PreflightTable
from headwater.domain.lineage import ColumnLineage
from headwater.domain.names import TableName
from headwater.domain.schema import TableSchema
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec

SqlLineage = Callable[[str, Mapping[str, TableSchema]], tuple[ColumnLineage, ...]]


class PipelineModel(Protocol):
    """Pure questions about specs. Hashes cover SQL, contract, expressions and the package version (rule 8)."""

    def load(self, pipeline: str) -> PipelineSpec:
        """The resolved spec with its SQL analysed. :raises SpecError: when a file of it is wrong."""
        ...

    def pipelines(self) -> tuple[PipelineSpec, ...]:
        """Every pipeline that loads."""
        ...

    def publish_groups(self, spec: PipelineSpec) -> tuple[tuple[TableName, ...], ...]:
        """Silver and gold tables that are released together or not at all (rule 20)."""
        ...

    def spec_hash(self, spec: PipelineSpec) -> str: ...

    def bronze_hash(self, spec: SourceSpec, table: str) -> str: ...

    def silver_hash(self, spec: SourceSpec, table: str) -> str: ...

    def gold_hash(self, spec: PipelineSpec, gold: str) -> str: ...

    def quarantine_rules(self, contract: str) -> dict[str, str]:
        """Rule name -> Spark SQL predicate that is true for a row to divert."""
        ...

    def group_queries(self, gold: GoldSpec) -> GroupQueries:
        """How a gold table's SQL leads from changed input rows to groups, or why it cannot be followed (rule 38)."""
        ...

    def changing_key(self, table: TableName) -> tuple[str, ...] | None:
        """The key by which rows of a silver table change, in silver's names; empty when it only appends.

        None when no spec that loads declares the table.
        """
        ...

    def table_changes(self, old: PipelineSpec, new: PipelineSpec, table: TableName) -> tuple[SpecChange, ...]:
        """What the newer spec does to a table that the older one made (rule 14)."""
        ...

    def preflight_hashes(self, spec: PipelineSpec) -> dict[TableName, str]:
        """Table with fixtures -> hash of all that the colour of its tests depends on."""
        ...

    def preflight_tables(self, spec: PipelineSpec, tables: Collection[TableName]) -> tuple[PreflightTable, ...]:
        """The fixtures of these tables, with what they test."""
        ...

    @property
    def sql_lineage(self) -> SqlLineage: ...
