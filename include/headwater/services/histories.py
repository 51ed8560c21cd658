"""Which tables keep a history, and by what their rows are known."""

from __future__ import annotations

from headwater.domain.names import Layer
from headwater.domain.spec import SourceSpec
from headwater.ports.model import PipelineModel


def history_keys(model: PipelineModel, sql: str) -> dict[str, tuple[str, ...]]:
    """Dotted scd2 table -> its key, where the query asks what was known when; reading all files is not free."""
    if "_as_known_at" not in sql.lower():
        return {}
    return {
        spec.name_of(Layer.SILVER, table.name).dotted: table.silver_key
        for spec in model.pipelines()
        if isinstance(spec, SourceSpec)
        for table in spec.tables
        if table.silver.form == "scd2"
    }
