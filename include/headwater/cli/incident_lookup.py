"""The incident a command is about: known, and open where something is still to be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.domain.errors import NotFoundError, RequestError

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
