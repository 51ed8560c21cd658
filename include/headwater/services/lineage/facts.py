"""What there is to tell about a pipeline and one run of it, gathered from what the run store and catalog know."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from headwater.domain.base import Value
from headwater.domain.lineage import DatasetFacts, RunFacts, SourcePlace, TaskFacts
from headwater.domain.names import Layer
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.run import RunPlan
from headwater.domain.schema import TableSchema
from headwater.domain.spec import FilesExtract, PipelineSpec, SourceSpec
from headwater.domain.staging import StagedTable, Verdict
from headwater.ports.model import SqlLineage
from headwater.services.lineage.datasets import pipeline_datasets


class RunOutcome(Value):
    """What became of a run.

    :param releases: published releases of this run, oldest first.
    :param staged: newest staging per table, published or held.
    :param verdicts: verdicts of those stagings.
    :param schemas: dotted table -> columns as the catalog has them; also of gold's inputs in other pipelines.
    :param source_changes: dotted table -> what its source changed and the table bore.
    :param sources: connection id -> what it leads to; sql is taken for postgres and files for a folder by default.
    """

    state: Literal["success", "failed"]
    ended_at: AwareDatetime
    started_at: AwareDatetime | None = None
    releases: tuple[Release, ...] = ()
    staged: tuple[StagedTable, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    schemas: dict[str, TableSchema] = Field(default_factory=dict)
    tasks: tuple[TaskFacts, ...] = ()
    sources: dict[str, SourcePlace] = Field(default_factory=dict)
    url: str | None = None
    source_changes: dict[str, str] = Field(default_factory=dict)


def build_run_facts(spec: PipelineSpec, plan: RunPlan, outcome: RunOutcome, sql_lineage: SqlLineage) -> RunFacts:
    """Everything ``emit_lineage`` sends. Tables that do not exist yet are left out."""
    datasets = pipeline_datasets(spec, outcome.schemas, sql_lineage)
    published = [release for release in outcome.releases if release.status == "published"]
    audited = next((release.id for release in reversed(published) if release.scope == "audited"), None)
    return RunFacts(
        pipeline=spec.name,
        description=spec.description,
        owner=spec.owner,
        run_key=str(plan.run_key),
        run_id=plan.run_key.run_id,
        release=audited or next((release.id for release in reversed(published)), None),
        state=outcome.state,
        started_at=outcome.started_at or plan.planned_at,
        ended_at=outcome.ended_at,
        datasets=tuple(_measured(item, published, outcome) for item in datasets if item.schema_.columns),
        tasks=outcome.tasks,
        url=outcome.url,
        sources={**_places(spec), **outcome.sources},
    )


def _measured(dataset: DatasetFacts, published: list[Release], outcome: RunOutcome) -> DatasetFacts:
    """The dataset with what this run did to it."""
    moved = _moved(dataset, published)
    staged = next((item for item in outcome.staged if item.table == dataset.table), None)
    snapshot = moved.snapshot_id if moved is not None else staged.staged if staged is not None else None
    verdicts = (item for item in outcome.verdicts if (item.table, item.snapshot_id) == (dataset.table, snapshot))
    rows = moved.rows if moved is not None else None
    bronze = dataset.table.layer is Layer.BRONZE
    return dataset.model_copy(
        update={
            # Bronze releases count what the run appended, the others what the table holds.
            "rows": None if bronze else rows,
            "rows_added": rows if bronze else None,
            "snapshot_id": snapshot,
            "moved": moved is not None,
            "source_changes": outcome.source_changes.get(dataset.table.dotted, ""),
            "verdict": next(verdicts, None),
        }
    )


def _moved(dataset: DatasetFacts, published: list[Release]) -> ReleasedTable | None:
    tables = (item for release in reversed(published) for item in release.tables)
    return next((item for item in tables if item.table == dataset.table and item.moved), None)


def _places(spec: PipelineSpec) -> dict[str, SourcePlace]:
    if not isinstance(spec, SourceSpec):
        return {}
    files = any(isinstance(table.extract, FilesExtract) for table in spec.tables)
    guessed = SourcePlace(platform="file") if files else SourcePlace(platform="postgres", schema_name="public")
    return {spec.connection: guessed}
