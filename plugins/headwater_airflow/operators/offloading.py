"""What of a table's history can leave its source, as a task."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.domain.errors import RequestError
from headwater.domain.names import OFFLOAD
from headwater.domain.spec import SourceSpec
from headwater_airflow.callbacks import failure_context
from headwater_airflow.metrics import measured_stage
from headwater_airflow.operators.failing import airflow_errors
from headwater_airflow.platform import open_task_platform
from headwater_airflow.ui.links import IncidentLink

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.adapters.platform import LocalPlatform
    from headwater.domain.offload import OffloadReport

_ALLOWED = ("table", "before", "reason")
TABLE = r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*"


class VerifyOffloadOperator(BaseOperator):
    """Compare a table's history with what readers see of it; red unless every range of it can be purged.

    Deletes nothing: the statements that purge what was verified are in the log and in the report.
    """

    template_fields: Sequence[str] = ()
    operator_extra_links = (IncidentLink(),)
    ui_color = "#e8f1f2"

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, and keep the report. :raises AirflowFailException: when some of it has to stay."""
        from headwater.services.incidents.failure import failure_from_exception

        repository = Path(self.dag.fileloc).resolve().parent.parent
        with (
            airflow_errors(),
            measured_stage(OFFLOAD, self.task_id),
            closing(open_task_platform(repository)) as platform,
        ):
            try:
                return self._verified(platform, *offload_request(context["params"]))
            except RequestError as refused:
                # whoever filled in the form reads it here: no incident, and none by the watchdog
                platform.desk({}).note(failure_from_exception(refused, failure_context(context)))
                refused.reported = True
                raise

    def _verified(self, platform: LocalPlatform, pipeline: str, table: str, before: str) -> dict[str, Any]:
        from headwater.services.incidents.recovery import close_all

        report = self._report(platform, pipeline, table, before)
        for item in report.ranges:
            self.log.info("up to %s: %s rows %s", item.high, f"{item.rows:,}", item.why or "verified")
        for part in report.partitions:
            self.log.info("partition %s: %s rows %s", part.name, f"{part.rows:,}", part.why or part.detach)
        for item in report.verified:
            self.log.info("%s", item.purge)
        self.log.info("%s", report.line)
        self.log.info("report: %s", report.stored)
        close_all(platform.incidents, OFFLOAD, "compared since", platform.clock.now())
        if not report.is_verified:
            raise _refused(pipeline, table, before, report)
        return {"table": report.table.dotted, "rows": report.rows, "report": report.stored}

    def _report(self, platform: LocalPlatform, pipeline: str, table: str, before: str) -> OffloadReport:
        from headwater.adapters.reconciling import OffloadedSides
        from headwater.services.offloading import offload_table, stored_report

        spec = platform.model.load(pipeline)
        if not isinstance(spec, SourceSpec):
            raise RequestError(f"{pipeline} is a product; only tables of sources leave a database", got=pipeline)
        sides = OffloadedSides(platform.connections, platform.settings.catalog.s3)
        report = offload_table(platform.runs, sides, platform.clock, spec, table, before)
        return stored_report(platform.catalog, spec, report)


def offload_request(params: Mapping[str, object]) -> tuple[str, str, str]:
    """Source, table and bound, read back without trusting Airflow's check of them.

    :raises RequestError: naming the parameter.
    """
    unknown = sorted(set(params) - set(_ALLOWED))
    if unknown:
        raise RequestError(f"parameter {unknown[0]}: there is no such parameter", allowed=", ".join(_ALLOWED))
    table, before = params.get("table"), params.get("before")
    if not isinstance(table, str) or re.fullmatch(TABLE, table) is None:
        raise RequestError("parameter table: this is no table", got=repr(table)[:80], allowed="such as shop.orders")
    if not isinstance(before, str) or not before.strip():
        allowed = "a date or an instant such as 2020-01-01, or a number"
        raise RequestError("parameter before: this is no bound of a cursor", got=repr(before)[:80], allowed=allowed)
    pipeline, _, name = table.partition(".")
    return pipeline, name, before.strip()


def _refused(pipeline: str, table: str, before: str, report: OffloadReport) -> RequestError:
    from headwater.services.offload_runs import run_to_read

    conf = json.dumps(run_to_read(pipeline, table, before, report))
    return RequestError(
        f"history of {report.table} before {before} cannot all leave its source",
        got=report.line,
        allowed="ranges of which readers see every row as the source has it",
        remedy=f"Trigger {pipeline} with {conf}, and this DAG again when that run is green.",
        facts={"table": report.table.dotted},
    )
