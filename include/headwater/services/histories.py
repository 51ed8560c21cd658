"""Which released tables keep a history, and by what their rows are known."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from headwater.domain.names import Layer, TableName
from headwater.domain.release import Release, ReleasedTable
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.ports.platform import Platform
from headwater.services.context import spec_as_planned

Keys = dict[str, tuple[str, ...]]


def history_keys(platform: Platform, releases: Iterable[Release], sql: str) -> Keys:
    """Dotted scd2 table -> the key it was made by, where the query asks what was known when.

    As the spec stored for the run that made it says: the files may say other by now, or be wrong. They are asked
    where the store no longer knows the run.
    """
    if "_as_known_at" not in sql.lower():
        return {}
    silver = [(item, release) for release in releases for item in release.tables if item.table.layer is Layer.SILVER]
    made_by: dict[str, PipelineSpec | None] = {}
    found: Keys = {}
    unknown: list[TableName] = []
    for item, release in silver:
        spec = _made_by(platform, item, release, made_by)
        if spec is None:
            unknown.append(item.table)
        else:
            found |= _keys(spec, item.table)
    if unknown:
        specs = {spec.name: spec for spec in platform.model.pipelines()}
        for table in unknown:
            found |= _keys(specs[table.source], table) if table.source in specs else {}
    return found


def _made_by(
    platform: Platform, item: ReleasedTable, release: Release, read: dict[str, PipelineSpec | None]
) -> PipelineSpec | None:
    """The spec of the run that made a released table.

    :param read: run key -> its spec, of those that were read already; added to.
    """
    run_key = item.state.run_key if item.state is not None else release.run_key
    if run_key not in read:
        try:
            read[run_key] = spec_as_planned(platform, run_key, release.pipeline)
        except ValidationError:
            read[run_key] = None  # written by a version whose words this one no longer has
    return read[run_key]


def _keys(spec: PipelineSpec, table: TableName) -> Keys:
    tables = spec.tables if isinstance(spec, SourceSpec) else ()
    own = next((item for item in tables if item.name == table.table and item.silver.form == "scd2"), None)
    return {} if own is None else {table.dotted: own.silver_key}
