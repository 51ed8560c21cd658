"""The stages that move and judge data."""

from __future__ import annotations

from typing import Any

from headwater.domain.names import Layer
from headwater_airflow.operators.base import Stage, StageOperator


class ExtractToBronzeOperator(StageOperator):
    """Stage one table's frozen window on a branch of its bronze table; expanded over the plan's tables.

    :param table: name of the table in the YAML.
    """

    def __init__(self, *, table: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = table

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Extract the table."""
        from headwater.services.stages import extraction

        return self.tell(extraction.run(stage.platform, stage.run, self.table))


class ValidateLayerOperator(StageOperator):
    """Judge exactly what this run staged in one layer; fails only when every group is held.

    :param layer: ``bronze``, ``silver`` or ``gold``.
    """

    def __init__(self, *, layer: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Validate the layer."""
        from headwater.services.stages import validation

        return self.tell(validation.run(stage.platform, stage.run, Layer(self.layer)))


class RefineToSilverOperator(StageOperator):
    """Refine published bronze batches to silver, all tables in one Spark job."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Refine."""
        from headwater.services.stages import refinement

        return self.tell(refinement.run(stage.platform, stage.run))


class BuildGoldOperator(StageOperator):
    """Build gold from pinned inputs, all tables in one Spark job."""

    def run_stage(self, stage: Stage) -> dict[str, Any]:
        """Build."""
        from headwater.services.stages import building

        return self.tell(building.run(stage.platform, stage.run))
