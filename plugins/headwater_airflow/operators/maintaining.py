"""Maintenance as tasks: one that says which tables, and one per group of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.domain.errors import RequestError
from headwater.domain.names import MAINTENANCE
from headwater.domain.run import RunKey
from headwater_airflow.metrics import measured_stage
from headwater_airflow.operators.failing import airflow_errors
from headwater_airflow.platform import open_task_platform
from headwater_airflow.ui.links import IncidentLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.adapters.platform import LocalPlatform
    from headwater.domain.maintenance import Step, Upkeep

MOST_TASKS = 100
"""Mapped tasks of one run; with more tables than that each maintains several."""
_ALLOWED = ("tables", "steps", "dry_run")


class PlanMaintenanceOperator(BaseOperator):
    """Say which tables are maintained, in groups of one mapped task each."""

    template_fields: Sequence[str] = ()
    operator_extra_links = (IncidentLink(),)
    ui_color = "#e8f1f2"

    def execute(self, context: Context) -> list[list[str]]:
        """List the tables. :raises AirflowFailException: when a parameter is wrong."""
        from headwater.services.maintenance.maintaining import maintained_tables

        with _opened(self) as platform:
            asked = maintenance_request(context["params"])
            names = [table.dotted for table in maintained_tables(platform, asked["tables"])]
        if asked["steps"] == ("leftovers",):
            return []  # those are of no table
        self.log.info("%d tables", len(names))
        size = -(-len(names) // MOST_TASKS) or 1
        return [names[first : first + size] for first in range(0, len(names), size)]


class MaintainTablesOperator(BaseOperator):
    """Maintain a group of tables, slice by slice; red when one of them failed, after all were tried.

    :param tables: dotted tables.
    """

    template_fields: Sequence[str] = ()
    operator_extra_links = (IncidentLink(),)
    ui_color = "#e8f1f2"

    def __init__(self, *, tables: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tables = tables

    @property
    def shown(self) -> str:
        """What the mapped task is called."""
        more = f" and {len(self.tables) - 1} more" if len(self.tables) > 1 else ""
        return f"{self.tables[0]}{more}"

    def execute(self, context: Context) -> dict[str, int]:
        """Maintain. :raises MaintenanceError: the first table's; what was readable before is readable still."""
        from headwater.services.maintenance.maintaining import maintain_tables, maintained_tables

        asked, done = maintenance_request(context["params"]), Counter[str]()
        with _opened(self) as platform:
            key = RunKey(
                installation=platform.runs.installation(), dag_id=MAINTENANCE, run_id=str(context["ti"].run_id)
            )
            maintain_tables(
                platform, maintained_tables(platform, self.tables), run_key=str(key),
                holder=f"{MAINTENANCE} / {context['ti'].run_id}", steps=asked["steps"], dry_run=asked["dry_run"],
                tell=partial(_tell, self, done),
            )  # fmt: skip
        return dict(done)


class SweepLeftoversOperator(BaseOperator):
    """Remove what killed processes left beside the tables; nothing where only some tables were asked for."""

    template_fields: Sequence[str] = ()
    operator_extra_links = (IncidentLink(),)
    ui_color = "#e8f1f2"

    def execute(self, context: Context) -> dict[str, int]:
        """Sweep. :raises MaintenanceError: when storage, catalog or run store failed."""
        from headwater.services.maintenance.leftovers import sweep

        asked, done = maintenance_request(context["params"]), Counter[str]()
        with _opened(self) as platform:
            sweep(platform, **asked, tell=partial(_tell, self, done))
        return dict(done)


def _tell(operator: BaseOperator, done: Counter[str], item: Upkeep) -> None:
    operator.log.info("%s", item.line())
    done[item.status] += 1


@contextmanager
def _opened(operator: BaseOperator) -> Iterator[LocalPlatform]:
    with airflow_errors(), measured_stage(MAINTENANCE, operator.task_id):
        repository = Path(operator.dag.fileloc).resolve().parent.parent
        with closing(open_task_platform(repository)) as platform:
            yield platform


def maintenance_request(params: Mapping[str, object]) -> dict[str, Any]:
    """The run's parameters, read back without trusting Airflow's check of them.

    :raises RequestError: naming the parameter.
    """
    from headwater.services.maintenance.maintaining import chosen_steps

    unknown = sorted(set(params) - set(_ALLOWED))
    if unknown:
        raise RequestError(f"parameter {unknown[0]}: there is no such parameter", allowed=", ".join(_ALLOWED))
    dry_run = params.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise RequestError("parameter dry_run: this is neither true nor false", got=repr(dry_run)[:80])
    steps: tuple[Step, ...] | None = chosen_steps(_texts("steps", params.get("steps")))
    return {"tables": _texts("tables", params.get("tables")), "steps": steps, "dry_run": dry_run}


def _texts(name: str, value: object) -> list[str]:
    chosen = value if isinstance(value, list | tuple) else [] if value is None else [value]
    for item in chosen:
        if not isinstance(item, str):
            raise RequestError(f"parameter {name}: this is no text", got=repr(item)[:80])
    return list(chosen)
