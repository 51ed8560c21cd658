"""What has to be right between the repository's files and this installation."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from headwater.adapters.profile import PROFILE_VARIABLE, home_folder, repository_root, turn_in_force
from headwater.cli.finding import Finding, explained, failed
from headwater.domain.duration import format_duration
from headwater.domain.errors import HeadwaterError
from headwater.domain.spec import SourceSpec, connections_of
from headwater.ports.connections import Connections

if TYPE_CHECKING:
    from headwater.model.repository import Repository


def examine_files() -> Iterator[Finding]:
    """Look at all of it; nothing is opened."""
    from headwater.model.documents import Profile
    from headwater.model.repository import load_repository

    turn = None
    try:
        turn = turn_in_force()
    except HeadwaterError as error:
        if os.environ.get(PROFILE_VARIABLE):  # that of the embedded stack is written anew when it starts
            yield failed("profile", error)
    try:
        found = load_repository(repository_root(), Profile(turn=turn))
    except HeadwaterError as error:
        yield failed("repository", error)
        return
    if turn is not None:
        yield _waits(found, turn)
    yield from _connections(found.sources)


def _waits(found: Repository, turn: timedelta) -> Finding:
    """Whether every run waits longer than maintenance keeps a table."""
    from headwater.model.lease_waits import too_short_waits

    short = too_short_waits(found.errors)
    told = "; ".join(f"{error.where} is {error.got}" for error in short)
    most = f"{'no' if short else 'each'} longer than maintenance.turn, {format_duration(turn)}"
    fix = f"Raise lease_wait there above {format_duration(turn)}, or lower maintenance.turn in the profile."
    return Finding(what="lease_wait", fine=not short, found=f"{told}: {most}" if short else most, fix=fix)


def _connections(sources: Sequence[SourceSpec]) -> Iterator[Finding]:
    """Whether the connections of all sources are there; none is opened."""
    from headwater.adapters.connections import EnvironmentConnections

    file = home_folder() / "connections.env"
    if not file.exists() and not any(name.startswith("AIRFLOW_CONN_") for name in os.environ):
        yield Finding(what="connections", fine=True, found="none yet; `make demo` makes those of the demo")
        return
    known = EnvironmentConnections(file)
    used = {name for source in sources for table in source.tables for name in connections_of(source, table)}
    for name in sorted(used):
        yield explained(f"connection {name}", partial(_connection, known, name))


def _connection(known: Connections, name: str) -> Finding:
    info = known.resolve(name)
    return Finding(what=f"connection {name}", fine=True, found=f"{info.kind}, not opened")
