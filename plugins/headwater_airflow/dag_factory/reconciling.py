"""The DAG that compares a source with what readers see of it, on a schedule of its own."""

from __future__ import annotations

from airflow.sdk import DAG

from headwater.domain.names import RECONCILE_SUFFIX
from headwater.domain.reconciliation import compared_tables
from headwater.domain.spec import Reconcile, SourceSpec
from headwater_airflow.dag_factory.defaults import START_DATE, starts_paused, task_defaults
from headwater_airflow.dag_factory.schedules import airflow_schedule, schedule_text
from headwater_airflow.operators.reconciling import ReconcileTableOperator


def build_reconcile_dag(spec: SourceSpec, declared: Reconcile, file: str) -> DAG:
    """A task per table. One at a time: each reads its relation whole at the source, and no run waits for it.

    :param file: the YAML file relative to the repository.
    """
    with DAG(
        dag_id=f"{spec.name}{RECONCILE_SUFFIX}",
        description=f"Compares {spec.name} with its source, key by key.",
        doc_md=_document(spec, declared, file),
        schedule=airflow_schedule(declared.schedule),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        max_active_tasks=1,
        is_paused_upon_creation=starts_paused(),
        default_args=task_defaults(spec.owner.team),
        auto_register=False,
        tags=list(dict.fromkeys(("reconcile", *filter(None, (spec.domain,)), spec.owner.team, *spec.tags))),
    ) as dag:
        ReconcileTableOperator.partial(
            task_id="reconcile", map_index_template="{{ task.table }}", file=file, pipeline=spec.name
        ).expand(table=list(compared_tables(spec)))
    return dag


def _document(spec: SourceSpec, declared: Reconcile, file: str) -> str:
    tables = ", ".join(f"`{name}`" for name in compared_tables(spec))
    return "\n".join(
        [
            f"Compares what {spec.name} holds at its source with what readers see of it: {tables}.",
            "",
            f"- **When:** {schedule_text(declared.schedule)}",
            f"- **Declared in:** `{file}`",
            "",
            "Hashes are computed where the rows are; only keys that differ are looked at one by one, twice. A task is",
            "red when rows are lost, altered or never read: open *Incident* on it for the steps that mend it.",
            "The same by hand: `headwater reconcile " + spec.name + "`.",
        ]
    )
