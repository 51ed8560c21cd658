"""What follows a person's ``accept``: the held run goes on, or the next one refines what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.cli.awaiting import clear_run, demand_green, open_airflow, start_run, wait_for_run
from headwater.cli.output import console
from headwater.domain.errors import NotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from headwater.domain.incident import Incident
    from headwater.domain.release import Release
    from headwater.ports.airflow_api import AirflowApi, DagRun
    from headwater.ports.platform import Platform
    from headwater.services.accepting import Acceptance


def go_on(platform: Platform, incident: Incident, acceptance: Acceptance, *, wait: bool) -> None:
    """Continue through Airflow to the end of the publish group, and close the incident when it is published.

    :raises AirflowDownError: when Airflow does not answer; the word stands, and clearing the run later is enough.
    :raises RunNotGreenError: when the run ended red for another reason.
    """
    if acceptance.release is not None:
        _tell(acceptance.release)
        _close(platform, incident, acceptance.release)
    if acceptance.closed_by:
        others = ", ".join(str(table) for table in acceptance.closed_by)
        console().print(f"Its publish group stays closed by {others}: see `headwater incidents`.")
        return
    begun, api = platform.clock.now(), open_airflow(platform.settings.airflow)
    try:
        run = _continued(api, incident, acceptance)
        console().print(f"{run.dag_id}: run {run.run_id} goes on")
        if not wait:
            return
        ended = wait_for_run(api, run)
    finally:
        api.close()
    release = _released(platform, incident.pipeline, acceptance, begun)
    if release is not None:
        _tell(release)
        _close(platform, incident, release)
    demand_green(ended)


def _released(platform: Platform, pipeline: str, acceptance: Acceptance, since: datetime) -> Release | None:
    """The release that shows the accepted table."""
    for release in platform.runs.releases(pipeline, limit=50):
        moved = {item.table for item in release.tables if item.moved}
        recent = release.published_at is not None and release.published_at >= since
        if recent and release.kind == "audited" and acceptance.table in moved:
            return release
    return None


def _continued(api: AirflowApi, incident: Incident, acceptance: Acceptance) -> DagRun:
    if acceptance.release is not None:
        reason = f"{acceptance.table} was accepted (incident {incident.id})"
        return start_run(api, incident.pipeline, {"reason": reason})
    clear_run(api, incident.pipeline, acceptance.run_id, [acceptance.gate])
    found = api.run(incident.pipeline, acceptance.run_id)
    if found is None:
        raise NotFoundError(
            f"Airflow has no run {acceptance.run_id} of {incident.pipeline} any more, so it cannot go on.",
            remedy=f"`headwater run {incident.pipeline} --wait` makes the table anew; accept what its gate holds then.",
        )
    return found


def _tell(release: Release) -> None:
    moved = ", ".join(item.table.dotted for item in release.tables if item.moved)
    console().print(f"published in release {release.id}: {moved}")


def _close(platform: Platform, incident: Incident, release: Release) -> None:
    platform.incidents.close(incident.id, f"accepted, released by {release.id}", platform.clock.now())
