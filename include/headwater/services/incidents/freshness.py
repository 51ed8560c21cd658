"""Whether what readers see is younger than the YAML promises."""

from __future__ import annotations

from datetime import datetime, timedelta

from headwater.domain.base import Value
from headwater.domain.duration import format_duration
from headwater.domain.incident import Failure
from headwater.domain.names import Layer
from headwater.domain.release import Release
from headwater.domain.spec import PipelineSpec
from headwater.ports.run_store import RunStore
from headwater.services.incidents.desk import IncidentDesk


def check_freshness(desk: IncidentDesk) -> tuple[int, ...]:
    """Open an incident for each layer that is late, close those that are late no more; returns the open ones' numbers.

    Judged by the data clock against current releases, so it also speaks when no run exists. A pipeline that never
    released anything counts from its first known run.
    """
    current = desk.runs.current()
    late: dict[tuple[str, str], int] = {}
    for spec in desk.specs.values():
        for layer, limit in _limits(spec).items():
            found = _late(desk, spec, layer, limit, current)
            if found is not None:
                incident, _ = desk.report(found)
                late[spec.name, layer_name(spec, layer)] = incident.id
    for incident in desk.store.list(status="open", limit=1000):
        if incident.kind == "late" and (incident.pipeline, incident.table) not in late:
            desk.store.close(incident.id, "fresh again", desk.clock.now())
    return tuple(late.values())


class LayerAge(Value):
    """How old what readers see of a layer is, and may be."""

    pipeline: str
    layer: Layer
    age: timedelta
    allowed: timedelta


def layer_ages(desk: IncidentDesk) -> tuple[LayerAge, ...]:
    """Every layer whose freshness is promised; one that never was released and never ran has no age.

    A data clock behind the release's makes no age negative.
    """
    current = desk.runs.current()
    now = desk.clock.data_now()
    return tuple(
        LayerAge(pipeline=spec.name, layer=layer, age=max(now - since, timedelta()), allowed=limit)
        for spec in desk.specs.values()
        for layer, limit in _limits(spec).items()
        for since in [_since(desk, spec, _newest(spec, layer, current))]
        if since is not None
    )


def layer_name(spec: PipelineSpec, layer: Layer) -> str:
    """``gold.flights``: a layer of a pipeline, in the place of a table."""
    return f"{layer}.{spec.name}"


def _limits(spec: PipelineSpec) -> dict[Layer, timedelta]:
    promised = {
        Layer.BRONZE: spec.freshness.bronze,
        Layer.SILVER: spec.freshness.silver,
        Layer.GOLD: spec.freshness.gold,
    }
    return {layer: limit for layer, limit in promised.items() if limit is not None}


def _late(
    desk: IncidentDesk, spec: PipelineSpec, layer: Layer, limit: timedelta, current: tuple[Release, ...]
) -> Failure | None:
    now = desk.clock.data_now()
    newest = _newest(spec, layer, current)
    since = _since(desk, spec, newest)
    if since is None or now - since <= limit:
        return None
    whole_minutes = timedelta(minutes=int((now - since).total_seconds() // 60))
    age, allowed = _age(whole_minutes), format_duration(limit)
    facts = {"allowed": allowed, "layer": layer.value}
    if newest is not None:
        facts |= {"age": age, "release": newest.id, "released_at": f"{since:%Y-%m-%d %H:%M} UTC"}
    return Failure(
        pipeline=spec.name,
        run_id=newest.id if newest is not None else "never released",
        task_id=f"freshness_{layer}",
        kind="late",
        cause="late",
        table=layer_name(spec, layer),
        message=f"{layer_name(spec, layer)} is {age} old; freshness allows {allowed}",
        facts=facts,
        seen_at=desk.clock.now(),
    )


def _newest(spec: PipelineSpec, layer: Layer, current: tuple[Release, ...]) -> Release | None:
    return max((item for item in current if _shows(item, spec, layer)), key=lambda item: item.id, default=None)


def _since(desk: IncidentDesk, spec: PipelineSpec, newest: Release | None) -> datetime | None:
    return newest.published_at if newest is not None else _first_run(desk.runs, spec.name)


def _shows(release: Release, spec: PipelineSpec, layer: Layer) -> bool:
    own = release.pipeline == spec.name and release.published_at is not None
    return own and any(item.table.layer == layer for item in release.tables)


def _first_run(runs: RunStore, pipeline: str) -> datetime | None:
    known = runs.runs(pipeline, limit=1000)
    return min((run.planned_at for run in known), default=None)


def _age(age: timedelta) -> str:
    hours, minutes = divmod(int(age.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
