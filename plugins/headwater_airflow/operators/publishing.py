"""The stages that make staged tables visible, and ring the assets of those that changed."""

from __future__ import annotations

from typing import Any

from airflow.sdk import AssetAlias
from pydantic import JsonValue

from headwater.services.report import StageReport
from headwater_airflow.assets import asset_of
from headwater_airflow.operators.base import Stage, StageOperator


class _PublishingOperator(StageOperator):
    """A publish.

    :param alias: name of the asset alias in ``outlets`` that changed tables are added to (rule 39).
    """

    def __init__(self, *, alias: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alias = alias

    def ring(self, stage: Stage, report: StageReport) -> dict[str, Any]:
        """Log the report and add an asset event for every table that changed, and for no other."""
        events = stage.context["outlet_events"][AssetAlias(name=self.alias, group="headwater")]
        for changed in report.changed:
            extra: dict[str, JsonValue] = {
                "snapshot_id": str(changed.snapshot_id),
                "rows": changed.rows,
                "release": report.release,
            }
            events.add(asset_of(changed.table), extra=extra)
        return self.tell(report)


class PublishBronzeOperator(_PublishingOperator):
    """Make each bronze table that passed its own gate visible."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Publish bronze."""
        from headwater.services.stages import publishing

        return self.ring(stage, publishing.publish_bronze(stage.platform, stage.run))


class PublishOperator(_PublishingOperator):
    """Make all open groups of silver and gold visible in one release."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Publish silver and gold."""
        from headwater.services.stages import publishing

        return self.ring(stage, publishing.publish(stage.platform, stage.run))
