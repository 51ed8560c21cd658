"""A pipeline's DAG: the same chain, with the same task ids, for every source and every product."""

from __future__ import annotations

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.definitions.param import ParamsDict

from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater_airflow.assets import releases_of
from headwater_airflow.dag_factory.defaults import START_DATE, starts_paused, task_defaults
from headwater_airflow.dag_factory.docs import dag_document
from headwater_airflow.dag_factory.form import run_form
from headwater_airflow.dag_factory.schedules import airflow_schedule
from headwater_airflow.operators.closing import CloseRunOperator, EmitLineageOperator
from headwater_airflow.operators.planning import PlanRunOperator, PreflightOperator
from headwater_airflow.operators.publishing import PublishBronzeOperator, PublishOperator
from headwater_airflow.operators.stages import (
    BuildGoldOperator,
    ExtractToBronzeOperator,
    RefineToSilverOperator,
    ValidateLayerOperator,
)

MAX_ACTIVE_RUNS = 4
SOME_SUCCEEDED = "all_done_min_one_success"
"""One failed table stops neither its neighbours nor what comes after it."""


def build_dag(spec: PipelineSpec, file: str) -> DAG:
    """The DAG of one pipeline with all its tasks.

    :param file: the YAML file relative to the repository; operators load the rest of the spec from it when they run.
    """
    with _empty_dag(spec, file) as dag:
        if isinstance(spec, SourceSpec):
            _source_chain(spec, {"file": file, "pipeline": spec.name})
        else:
            _product_chain(spec, {"file": file, "pipeline": spec.name})
    # only now: a task copies the params its DAG has, and Airflow validates every copy each time it serializes the DAG
    dag.params = ParamsDict(run_form(spec))
    return dag


def _empty_dag(spec: PipelineSpec, file: str) -> DAG:
    kind = "source" if isinstance(spec, SourceSpec) else "product"
    return DAG(
        dag_id=spec.name,
        description=spec.description,
        doc_md=dag_document(spec, file),
        schedule=airflow_schedule(spec.schedule),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=MAX_ACTIVE_RUNS,
        is_paused_upon_creation=starts_paused(),
        default_args=task_defaults(spec.owner.team),
        auto_register=False,  # a chain that could not be finished must not be taken for a DAG
        tags=list(dict.fromkeys((kind, *filter(None, (spec.domain,)), spec.owner.team, *spec.tags))),
    )


def _source_chain(spec: SourceSpec, inputs: dict[str, str]) -> None:
    alias = releases_of(spec.name)
    preflight = PreflightOperator(task_id="preflight", **inputs)
    plan = PlanRunOperator(task_id="plan_run", **inputs)
    extract = ExtractToBronzeOperator.partial(
        task_id="extract_to_bronze", map_index_template="{{ task.table }}", **inputs
    ).expand(table=plan.output)
    validate_bronze = ValidateLayerOperator(
        task_id="validate_bronze", layer="bronze", trigger_rule=SOME_SUCCEEDED, **inputs
    )
    publish_bronze = PublishBronzeOperator(task_id="publish_bronze", outlets=[alias], alias=alias.name, **inputs)
    refine = RefineToSilverOperator(task_id="refine_to_silver", **inputs)
    validate_silver = ValidateLayerOperator(task_id="validate_silver", layer="silver", **inputs)
    preflight >> plan >> extract >> validate_bronze >> publish_bronze >> refine >> validate_silver
    _finish(spec, inputs, validate_silver)


def _product_chain(spec: PipelineSpec, inputs: dict[str, str]) -> None:
    preflight = PreflightOperator(task_id="preflight", **inputs)
    plan = PlanRunOperator(task_id="plan_run", **inputs)
    preflight >> plan
    _finish(spec, inputs, plan)


def _finish(spec: PipelineSpec, inputs: dict[str, str], last: BaseOperator) -> None:
    """Gold, where there is some, then publish, lineage and the close of the run."""
    before_publish = [last]
    if spec.gold:
        build = BuildGoldOperator(task_id="build_gold", **inputs)
        validate = ValidateLayerOperator(task_id="validate_gold", layer="gold", **inputs)
        last >> build >> validate
        before_publish = [last, validate] if isinstance(spec, SourceSpec) else [validate]
    alias = releases_of(spec.name)
    # a broken gold must not keep silver from its readers: the open groups are published (rule 20)
    publish = PublishOperator(
        task_id="publish", trigger_rule=SOME_SUCCEEDED, outlets=[alias], alias=alias.name, **inputs
    )
    emit = EmitLineageOperator(task_id="emit_lineage", **inputs)
    # each task ends after the one before it, so what follows the last of them follows all of them
    close = CloseRunOperator(task_id="close_run", trigger_rule="all_done", **inputs)
    before_publish >> publish >> emit >> close
