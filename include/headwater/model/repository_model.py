"""The repository's files as the use cases see them (``ports/model.py``)."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

from headwater.domain.change import SpecChange
from headwater.domain.errors import NotFoundError, SpecError
from headwater.domain.increment import GroupQueries
from headwater.domain.job import PreflightTable
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import GoldSpec, PipelineSpec, SourceSpec
from headwater.model import groups, hashes
from headwater.model.environment import environment_digest
from headwater.model.fixtures.fixture import declared_types, fixture_tables, read_fixtures
from headwater.model.layout import Layout
from headwater.model.repository import Repository, load_pipeline, load_repository, pipeline_files
from headwater.ports.model import SqlLineage


class RepositoryModel:
    """Reads a repository on first use and answers from memory: one instance serves one task or command."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._loaded: dict[str, PipelineSpec] = {}

    @cached_property
    def repository(self) -> Repository:
        """Every file of the repository, with all findings."""
        return load_repository(self._root)

    def load(self, pipeline: str) -> PipelineSpec:
        if pipeline not in self._loaded:
            file = next((file for file in pipeline_files(self._root) if file.stem == pipeline), None)
            if file is None:
                known = ", ".join(file.stem for file in pipeline_files(self._root))
                raise NotFoundError(f"there is no pipeline {pipeline}", got=pipeline, allowed=known)
            self._loaded[pipeline] = load_pipeline(self._root, file)
        return self._loaded[pipeline]

    def pipelines(self) -> tuple[PipelineSpec, ...]:
        return self.repository.pipelines

    def publish_groups(self, spec: PipelineSpec) -> tuple[tuple[TableName, ...], ...]:
        return groups.publish_groups(spec)

    def spec_hash(self, spec: PipelineSpec) -> str:
        return hashes.spec_hash(spec)

    def bronze_hash(self, spec: SourceSpec, table: str) -> str:
        return hashes.table_hash(spec, spec.table(table))

    def silver_hash(self, spec: SourceSpec, table: str) -> str:
        return hashes.silver_hash(spec, spec.table(table))

    def gold_hash(self, spec: PipelineSpec, gold: str) -> str:
        return hashes.gold_hash(spec, next(item for item in spec.gold if item.name == gold))

    def quarantine_rules(self, contract: str) -> dict[str, str]:
        from headwater.model.contracts.contract import quarantine_rules

        return quarantine_rules(contract)

    def group_queries(self, gold: GoldSpec) -> GroupQueries:
        from headwater.model.sql.groups import group_queries

        return group_queries(gold.sql, gold.grain)

    def changing_key(self, table: TableName) -> tuple[str, ...] | None:
        try:
            spec = self.load(table.source)
        except (NotFoundError, SpecError):
            return None
        found = next((t for t in spec.tables if t.name == table.table), None) if isinstance(spec, SourceSpec) else None
        if found is None:
            return None
        return () if found.silver.mode == "append" else found.silver_key

    def table_changes(self, old: PipelineSpec, new: PipelineSpec, table: TableName) -> tuple[SpecChange, ...]:
        from headwater.model.changes.comparing import table_changes

        return table_changes(old, new, table)

    def preflight_hashes(self, spec: PipelineSpec) -> dict[TableName, str]:
        environment = environment_digest(self._root)
        return {table: self._preflight_hash(spec, table, environment) for table in self._fixture_tables(spec)}

    def preflight_tables(self, spec: PipelineSpec, tables: Collection[TableName]) -> tuple[PreflightTable, ...]:
        return tuple(self._preflight(spec, table) for table in self._fixture_tables(spec) if table in tables)

    def _fixture_tables(self, spec: PipelineSpec) -> tuple[TableName, ...]:
        return fixture_tables(Layout(self._root), spec)

    def _preflight_hash(self, spec: PipelineSpec, table: TableName, environment: str) -> str:
        tests = [fixture.model_dump_json() for fixture in read_fixtures(self._root, spec, table)]
        types = json.dumps(declared_types(spec, table), sort_keys=True)
        return hashes.preflight_hash(spec, table, "\n".join([environment, types, *tests]))

    def _preflight(self, spec: PipelineSpec, table: TableName) -> PreflightTable:
        silver = spec.table(table.table) if isinstance(spec, SourceSpec) and table.layer is Layer.SILVER else None
        gold = next((g for g in spec.gold if g.name == table.table), None) if table.layer is Layer.GOLD else None
        return PreflightTable(
            silver=silver,
            gold=gold,
            table=table,
            schemas=declared_types(spec, table),
            fixtures=read_fixtures(self._root, spec, table),
        )

    @property
    def sql_lineage(self) -> SqlLineage:
        from headwater.model.sql.file import column_lineage

        return column_lineage
