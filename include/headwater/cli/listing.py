"""``runs``, ``tables``, ``releases``, ``incidents``: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.opening import opened_platform, repository
from headwater.cli.output import LARGEST_NUMBER, Json, console, print_json, print_table
from headwater.domain.errors import NotFoundError

if TYPE_CHECKING:
    from headwater.domain.spec import PipelineSpec
    from headwater.ports.platform import Platform

COUNTED = "Rows: of bronze what the last batch added, of silver those not deleted, of histories those that hold now."
Pipeline = Annotated[str | None, typer.Argument(help="Only this source or product.")]
Limit = Annotated[int, typer.Option(min=1, max=LARGEST_NUMBER, help="How many, newest first.")]

SHORT_COMMIT = 10


def register(app: typer.Typer) -> None:
    app.command()(runs)
    app.command()(tables)
    app.command()(releases)


def runs(pipeline: Pipeline = None, limit: Limit = 20, as_json: Json = False) -> None:
    """Runs, newest first."""
    with opened_platform() as platform:
        found = platform.runs.runs(pipeline, limit)
    if pipeline and not found:
        demand_known(pipeline)
    if as_json:
        print_json([record.model_dump(mode="json") for record in found])
        return
    rows = [
        (key.dag_id, key.run_id, record.state, record.planned_at, record.ended_at, commit(record.bundle_version), note)
        for record in found
        for key in [record.run_key]
        for note in [", ".join(record.held) or record.message or record.reason]
    ]
    columns = ["pipeline", "run", "state", "planned", "ended", "bundle", "note"]
    print_table("Runs", columns, rows, "Nothing has run yet.")


def tables(as_json: Json = False) -> None:
    """Tables as readers see them, those of the current releases; and which become visible together or not at all."""
    with opened_platform() as platform:
        found = [(release, item) for release in platform.runs.current() for item in release.tables]
        groups = [(spec.name, group) for spec in platform.model.pipelines() for group in _groups(platform, spec)]
    found.sort(key=lambda pair: pair[1].table.dotted)
    if as_json:
        together = {name: group for _, group in groups for name in group}
        print_json(
            [
                {
                    "table": item.table.dotted,
                    "rows": item.rows,
                    "snapshot_id": item.snapshot_id,
                    "release": release.id,
                    "published_at": release.published_at,
                    "pipeline": release.pipeline,
                    "publish_group": together.get(item.table.dotted, ()),
                }
                for release, item in found
            ]
        )
        return
    rows = [(item.table.dotted, item.rows, release.id, release.published_at) for release, item in found]
    print_table("Tables", ["table", "rows", "release", "published"], rows, "Nothing was released yet.")
    if rows:
        console().print(COUNTED)
    shared = [(pipeline, ", ".join(group)) for pipeline, group in groups if len(group) > 1]
    alone = "Every table is published by itself."
    print_table("Published together or not at all, as their SQL connects them", ["pipeline", "tables"], shared, alone)


def _groups(platform: Platform, spec: PipelineSpec) -> list[tuple[str, ...]]:
    return [tuple(table.dotted for table in group) for group in platform.model.publish_groups(spec)]


def releases(pipeline: Pipeline = None, limit: Limit = 20, as_json: Json = False) -> None:
    """Releases, newest first, of every status."""
    with opened_platform() as platform:
        found = platform.runs.releases(pipeline, limit)
    if pipeline and not found:
        demand_known(pipeline)
    if as_json:
        print_json([release.model_dump(mode="json", exclude={"moves"}) for release in found])
        return
    rows = [
        (release.id, release.pipeline, release.kind, release.status, release.published_at, version, moved, held)
        for release in found
        for version in [commit(release.bundle_version)]
        for moved in ["\n".join(item.table.dotted for item in release.tables if item.moved)]
        for held in ["\n".join(release.held)]
    ]
    columns = ["release", "pipeline", "kind", "status", "published", "bundle", "moved", "held"]
    print_table("Releases", columns, rows, "Nothing was released yet.", whole=["release"])


def commit(bundle_version: str | None) -> str | None:
    """A bundle's version as people name a commit; JSON has all of it. None: the files came from a folder."""
    return bundle_version[:SHORT_COMMIT] if bundle_version else None


def demand_known(pipeline: str) -> None:
    """:raises NotFoundError: when no file of the repository is a pipeline of that name."""
    from headwater.model.repository import load_repository

    names = sorted(spec.name for spec in load_repository(repository()).pipelines)
    if pipeline not in names:
        raise NotFoundError("There is no such source or product.", got=pipeline, allowed=", ".join(names) or "none yet")
