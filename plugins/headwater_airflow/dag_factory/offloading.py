"""The DAG whose form asks what of a table's history can leave its source."""

from __future__ import annotations

from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict

from headwater.domain.names import OFFLOAD
from headwater_airflow.dag_factory.defaults import START_DATE, starts_paused, task_defaults
from headwater_airflow.dag_factory.form import reason
from headwater_airflow.operators.offloading import TABLE, VerifyOffloadOperator

_DOCUMENT = """
Compares the history of a table with what readers of the lake see of it, range by range of its cursor, in one snapshot
of the source. The log has a line per range, and for each verified one the statement that purges it at the source; the
report is kept beside the metadata of the bronze table.

- **Nothing is read into the lake and nothing is deleted.** Red means that some of the history has to stay: the message
  says which run of the source reads what is lacking. Start it, then this DAG again.
- What is compared, and what holds afterwards: the guide on offloading history.

The same by hand: `headwater offload shop.orders --before 2020-01-01 --no-read`.
"""


def build_offload_dag() -> DAG:
    """One task, started by hand only."""
    with DAG(
        dag_id=OFFLOAD,
        description="Says what of a table's history can leave its source.",
        doc_md=_DOCUMENT,
        schedule=None,
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=starts_paused(),
        default_args=task_defaults("headwater") | {"retries": 0},
        tags=["operations", "headwater"],
    ) as dag:
        VerifyOffloadOperator(task_id="verify_offload")
    dag.params = ParamsDict(_form())  # only now: a task copies the params its DAG has
    return dag


def _form() -> dict[str, Param]:
    section = "What may leave"
    return {
        "table": Param(
            type="string",
            pattern=f"^{TABLE}$",
            title="Table",
            description_md="Source and table, such as `shop.orders`.",
            section=section,
        ),
        "before": Param(
            type="string",
            minLength=1,
            title="Before",
            description_md="Rows with a cursor below this: a date or an instant (UTC), such as `2020-01-01`; a number "
            "where the cursor is one.",
            section=section,
        ),
        "reason": reason(),
    }
