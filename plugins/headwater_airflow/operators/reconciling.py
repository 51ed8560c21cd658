"""The comparison of one table with its source, as a task."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.domain.errors import RequestError
from headwater.domain.spec import SourceSpec
from headwater_airflow.callbacks import failure_context
from headwater_airflow.operators.failing import airflow_errors
from headwater_airflow.platform import open_task_platform
from headwater_airflow.ui.links import IncidentLink

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReconcileTableOperator(BaseOperator):
    """Compare one table with its source; red, with an incident, when rows are lost, altered or never read.

    :param file: the source's YAML file, relative to the repository.
    :param pipeline: name of the source.
    :param table: name of the table in the YAML.
    """

    template_fields: Sequence[str] = ()
    operator_extra_links = (IncidentLink(),)
    ui_color = "#e8f1f2"

    def __init__(self, *, file: str, pipeline: str, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file
        self.pipeline = pipeline
        self.table = table

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare, and tell. :raises AirflowFailException: when somebody has to act."""
        with airflow_errors():
            return self._compare(context)

    def _compare(self, context: Context) -> dict[str, Any]:
        from headwater.adapters.reconciling import OpenedSides
        from headwater.model.repository import load_pipeline
        from headwater.services.reconciling.reconciliation import reconcile_table
        from headwater.services.reconciling.telling import error_of, tell

        repository = Path(self.dag.fileloc).resolve().parent.parent
        spec = load_pipeline(repository, repository / self.file)
        if not isinstance(spec, SourceSpec):
            raise RequestError(f"{spec.name} is a product; only sources are compared", got=spec.name)
        with closing(open_task_platform(repository)) as platform:
            sides = OpenedSides(platform.connections, platform.settings.catalog.s3)
            found = reconcile_table(platform.runs, sides, platform.clock, spec, self.table)
            report = partial(platform.report, spec=spec)
            tell(platform.incidents, report, spec, found, failure_context(context))
        self.log.info("%s", found.line)
        for item in found.differences:
            self.log.info("%s", item.line)
        error = error_of(spec, found)
        if error is not None:
            error.reported = True
            raise error
        return {"table": found.table.dotted, "rows": found.source_rows, "differences": found.verdict}
