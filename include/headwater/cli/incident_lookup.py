"""The incident a command is about: known, and open where something is still to be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.domain.errors import NotFoundError, RequestError
from headwater.domain.names import OPERATIONS

if TYPE_CHECKING:
    from headwater.domain.incident import Incident
    from headwater.ports.incident_store import IncidentStore


def known_incident(store: IncidentStore, number: int) -> Incident:
    """The incident of that number, open or closed. :raises NotFoundError: when there is none."""
    found = store.get(number)
    if found is None:
        raise NotFoundError(f"There is no incident {number}.", remedy="`headwater incidents --all` lists them.")
    return found


def open_incident(store: IncidentStore, number: int, otherwise: str) -> Incident:
    """The incident, where nothing has closed it: what it was about may be gone, or be another incident's by now.

    :param otherwise: what to do where it is closed.
    :raises NotFoundError: when there is none.
    :raises RequestError: when it is closed.
    """
    found = known_incident(store, number)
    if found.status == "closed":
        at = f"{found.closed_at:%Y-%m-%d %H:%M} UTC" if found.closed_at is not None else "before"
        raise RequestError(
            f"Incident {number} of {found.pipeline} is closed.",
            got=f"closed {at}: {found.closed_why or 'no reason was kept'}",
            allowed="an open incident; `headwater incidents` lists them",
            remedy=otherwise,
        )
    return found


@dataclass(frozen=True, slots=True)
class Clearing:
    """What of Airflow an incident's run is.

    :param tasks: those to clear with everything after them; none: what failed.
    """

    dag_id: str
    run_id: str
    tasks: tuple[str, ...]


def clearing_of(incident: Incident) -> Clearing:
    """The run of an incident, from its first stage on; of a run beside the chain what failed in it.

    :raises RequestError: when it is about no run of a pipeline: about the installation, or about what did not happen.
    """
    from headwater.services.incidents.context import PLATFORM_PIPELINE

    run_id, of_nobody = incident.facts.get("run_id"), incident.pipeline in (PLATFORM_PIPELINE, *OPERATIONS)
    if of_nobody or incident.kind == "late" or not run_id:
        about = f"what {incident.pipeline} does for the whole installation" if of_nobody else "no run"
        raise RequestError(
            f"Incident {incident.id} is about {about}; nothing of it can be cleared.",
            got=incident.title,
            allowed="an incident of a run of a source or product",
            remedy=f"Follow its steps instead: `headwater incidents {incident.id}` shows them.",
        )
    beside = incident.facts.get("dag_id")
    return Clearing(beside or incident.pipeline, run_id, () if beside else ("preflight",))
