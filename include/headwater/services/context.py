"""Which run a stage works for."""

from __future__ import annotations

import json

from headwater.domain.base import Value
from headwater.domain.errors import HeadwaterError
from headwater.domain.names import Layer, TableName
from headwater.domain.run import RunKey, RunPlan
from headwater.domain.spec import PipelineSpec, ProductSpec, SourceSpec, spec_from_document
from headwater.ports.platform import Platform


class RunContext(Value):
    """A stage's run, with the spec it loaded.

    :param holder: what a waiting run is told: dag, run and task.
    :param try_number: the scheduler's count of tries of this task; part of a failure's identity, never of an attempt's.
    :param run_url: page of the run, for alerts; ``log_url`` the page of this try's log.
    """

    spec: SourceSpec | ProductSpec
    run_key: RunKey
    holder: str = ""
    bundle_version: str | None = None
    try_number: int = 1
    run_url: str | None = None
    log_url: str | None = None

    @property
    def key(self) -> str:
        return str(self.run_key)

    def tables(self, layer: Layer) -> tuple[TableName, ...]:
        """The pipeline's tables in a layer, in the order of the YAML."""
        if layer is Layer.GOLD:
            return tuple(self.spec.name_of(layer, gold.name) for gold in self.spec.gold)
        if isinstance(self.spec, ProductSpec):
            return ()
        return tuple(self.spec.name_of(layer, table.name) for table in self.spec.tables)

    def all_tables(self) -> tuple[TableName, ...]:
        """Every table a run may write: what its leases cover."""
        return tuple(name for layer in Layer for name in self.tables(layer))


def planned(platform: Platform, run: RunContext) -> RunPlan:
    """The run's frozen plan.

    :raises HeadwaterError: when the run has none, because ``plan_run`` was not run or its store was lost.
    """
    plan = platform.runs.plan(run.key)
    if plan is None:
        raise HeadwaterError(
            f"run {run.run_key.run_id} of {run.spec.name} has no plan",
            remedy="Clear plan_run with everything downstream; it freezes what the run reads.",
        )
    return plan


def spec_as_planned(platform: Platform, key: RunKey | str, file: str) -> PipelineSpec | None:
    """The spec stored with the run's plan (rule 4): every stage after ``plan_run`` works by it, so that a push in the
    middle of a run changes nothing of it. None before the run is planned.
    """
    document = platform.runs.spec_document(str(key))
    return spec_from_document(json.loads(document), file) if document else None


def source_of(run: RunContext) -> SourceSpec:
    """The run's spec, of a stage that only sources have. :raises TypeError: for a product, which has no such stage."""
    if not isinstance(run.spec, SourceSpec):
        raise TypeError(f"{run.spec.name} is a product; only sources are extracted and refined")
    return run.spec
