"""``rollback``: readers see an earlier release again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import opened_platform, person, repository
from headwater.cli.output import Json, console, print_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from headwater.domain.names import TableName


def rollback(
    release: Annotated[str, typer.Argument(help="Readers see this release again.")], as_json: Json = False
) -> None:
    """Turn a pipeline back to an earlier release."""
    from headwater.domain.run import RunKey
    from headwater.services.rollback import rollback as turn_back

    with opened_platform() as platform:
        target = platform.runs.release(release)
        run_id = f"rollback__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
        dag_id = target.pipeline if target else "headwater"
        key = RunKey(installation=platform.runs.installation(), dag_id=dag_id, run_id=run_id)
        parts = (platform.runs, platform.catalog, platform.clock, platform.run_states)
        made = turn_back(*parts, release, run_key=str(key), holder=f"rollback by {person()}")
    if as_json:
        print_json(made.model_dump(mode="json", exclude={"moves"}))
        return
    console().print(f"release {made.id} shows the tables of {release} again")
    moved = {item.table for item in made.tables if item.moved}
    for product in _readers_of(moved, made.pipeline):
        console().print(f"made from it: headwater run {product} --wait makes {product} anew")


def _readers_of(tables: Collection[TableName], pipeline: str) -> tuple[str, ...]:
    """Other pipelines whose gold reads one of the tables."""
    from headwater.model.repository import load_repository

    found = load_repository(repository()).pipelines
    reading = (spec.name for spec in found for gold in spec.gold if set(gold.inputs) & set(tables))
    return tuple(sorted({*reading} - {pipeline}))
