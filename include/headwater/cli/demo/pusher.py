"""The developer of ``make demo-push``: a clone to push from, and what was seen of the pushes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from headwater.adapters.airflow_rest import Deployments
from headwater.adapters.embedded.airflow_environment import PUSHED
from headwater.adapters.embedded.bare_repository import Checkout
from headwater.cli.demo.acts import Stage, on_stage
from headwater.cli.output import console
from headwater.domain.base import Value
from headwater.domain.errors import StackError

PATIENCE_SECONDS = 120.0
LOOK_EVERY_SECONDS = 0.5
SHORT_COMMIT = 10


class Finding(Value):
    """Something a push should do, and what was seen."""

    what: str
    holds: bool
    found: str


@dataclass
class Pusher:
    """Pushes, waits until Airflow shows it, and keeps what was found.

    :param name: of the source that is pushed.
    """

    stage: Stage
    deployments: Deployments
    clone: Checkout
    name: str
    findings: list[Finding] = field(default_factory=list)

    def push(self, message: str, changed: dict[str, str | None]) -> str:
        """Commit and push; ask Airflow for a look where it knows the bundle already. Returns the commit."""
        commit = self.clone.push(message, changed)
        console().print(f"\n[bold]$ git push[/bold]   {short(commit)}  {message}", highlight=False)
        if self.deployments.versions(self.name):
            self.deployments.look_again(self.name)
        return commit

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        """:raises StackError: when Airflow does not show it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                log = self.stage.stack.home / "logs" / "airflow-dag-processor.log"
                raise StackError(f"Not seen in {PATIENCE_SECONDS:.0f} s: {what}.", remedy=f"Read {log}.")
            time.sleep(LOOK_EVERY_SECONDS)
        console().print(f"  {what}", highlight=False)

    def found(self, what: str, holds: bool, found: object) -> None:
        """Keep a finding for the table at the end."""
        self.findings.append(Finding(what=what, holds=holds, found=str(found)))

    def error(self, file: str) -> str:
        """The import error of a file of the pushed bundle; empty where it has none."""
        return self.deployments.import_errors(PUSHED).get(file, "")


@contextmanager
def pusher() -> Iterator[Pusher]:
    """At the demo that is serving. :raises StackError: when none is, or Git is not installed."""
    with on_stage() as stage:
        if not stage.stack.pushed.is_possible():
            raise StackError("Git is not installed.", remedy="Install git and start the demo again.")
        deployments = Deployments(stage.platform.settings.airflow)
        try:
            with stage.stack.pushed.checkout() as clone:
                yield Pusher(stage, deployments, clone, _free_name(clone))
        finally:
            deployments.close()


def _free_name(clone: Checkout) -> str:
    """Each showing has a source of its own: what is deployed stays deployed."""
    taken = {path.stem for path in (clone.folder / "dags" / "sources").glob("*.yaml")}
    names = ("carriers", *(f"carriers_{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def short(commit: str | None) -> str:
    """A commit as people name it."""
    return (commit or "none")[:SHORT_COMMIT]
