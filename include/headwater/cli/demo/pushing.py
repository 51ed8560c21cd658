"""``make demo-push``: what a push into the bare repository does to the demo that is serving."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from headwater.adapters.airflow_rest import Deployments
from headwater.adapters.embedded.airflow_environment import PUSHED
from headwater.adapters.embedded.bare_repository import Checkout
from headwater.cli.awaiting import wait_for_run
from headwater.cli.demo import pushed_files as files
from headwater.cli.demo.acts import Stage, on_stage
from headwater.cli.demo.running import Teller, wait_until_known
from headwater.cli.output import console, print_table
from headwater.domain.errors import StackError
from headwater.ports.airflow_api import DagRun

PATIENCE_SECONDS = 120.0
LOOK_EVERY_SECONDS = 0.5


@dataclass
class Pusher:
    """The developer with a clone, and what was seen of the pushes."""

    stage: Stage
    deployments: Deployments
    clone: Checkout
    name: str
    seen: list[tuple[str, bool, str]] = field(default_factory=list)

    def push(self, message: str, changed: dict[str, str | None]) -> str:
        """Commit and push; ask Airflow for a look where it knows the bundle already."""
        commit = self.clone.push(message, changed)
        console().print(f"\n[bold]$ git push[/bold]   {commit[:10]}  {message}", highlight=False)
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

    def saw(self, what: str, holds: bool, found: object) -> None:
        """Keep a finding for the table at the end."""
        self.seen.append((what, holds, str(found)))

    def error(self, file: str) -> str:
        """The import error of a file of the pushed bundle; empty where it has none."""
        return self.deployments.import_errors(PUSHED).get(file, "")


def play_push() -> None:
    """Push a source, a change while it runs, two pushes that must not pass, and the way back.

    :raises StackError: when Git or Airflow does not do what was shown, or a claim does not hold.
    """
    with _pusher() as pusher:
        first = _push_source(pusher)
        running = _start_and_stop_half_way(pusher)
        second = _push_change(pusher)
        later = pusher.stage.api.trigger(pusher.name, {"reason": "demo-push, after the change"})
        pusher.stage.api.unpause(pusher.name)
        _push_mistake(pusher)
        _compare(pusher, running, first, later, second)
        _push_other_version(pusher)
        _take_back(pusher)
        rows = [("✓" if holds else "✗", what, found) for what, holds, found in pusher.seen]
        print_table("Deployed by push", ["", "", "seen"], rows)
        if not all(holds for _, holds, _ in pusher.seen):
            raise StackError("A push did not do what it should; see the table above.")
        bare = pusher.stage.stack.pushed.folder
        console().print(f"Push yourself: git clone {bare}", highlight=False, soft_wrap=True, markup=False)


@contextmanager
def _pusher() -> Iterator[Pusher]:
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


def _push_source(pusher: Pusher) -> str:
    changed = files.loops(pusher.stage.stack.repository) | files.source(pusher.name)
    commit = pusher.push(f"Add the source {pusher.name}", dict(changed))
    wait_until_known(pusher.stage.api, [pusher.name])
    pusher.wait(f"the DAG {pusher.name} is there", lambda: bool(pusher.deployments.versions(pusher.name)))
    newest = pusher.deployments.versions(pusher.name)[0]
    pusher.saw("a pushed YAML is a DAG of that commit", newest.commit == commit, f"{pusher.name} at {commit[:10]}")
    return commit


def _start_and_stop_half_way(pusher: Pusher) -> DagRun:
    """A paused DAG starts no further task, so that the change surely comes while the run is at work."""
    api = pusher.stage.api
    run = api.trigger(pusher.name, {"reason": "demo-push, before the change"})

    def planned() -> bool:
        return any(t.task_id == "plan_run" and t.state == "success" for t in api.tasks(pusher.name, run.run_id))

    pusher.wait(f"run {run.run_id} has planned; it is stopped half way", planned)
    pusher.deployments.pause(pusher.name)
    return run


def _push_change(pusher: Pusher) -> str:
    commit = pusher.push(f"Add gold to {pusher.name}", dict(files.with_gold(pusher.name)))
    pusher.wait("the DAG has a new version", lambda: pusher.deployments.versions(pusher.name)[0].commit == commit)
    newest = pusher.deployments.versions(pusher.name)[0]
    pusher.saw("a pushed change is a new DAG version", newest.number > 1, f"version {newest.number} at {commit[:10]}")
    return commit


def _push_mistake(pusher: Pusher) -> None:
    pusher.push("A YAML with a typing mistake", dict(files.broken()))
    pusher.wait("an import error names the file", lambda: files.BROKEN in pusher.error("refused.py"))
    told = pusher.error("refused.py")
    found = next((line.strip() for line in told.splitlines() if files.WRONG_KEY in line), told[-120:])
    pusher.saw("a broken push is an import error with file, line and key", files.WRONG_KEY in told, found)


def _compare(pusher: Pusher, running: DagRun, first: str, later: DagRun, second: str) -> None:
    """Both runs end green beside the broken file, each by the files of its own commit."""
    runs, api = pusher.stage.platform.runs, pusher.stage.api
    for run, commit, what in ((running, first, "the running run stays"), (later, second, "the next run is")):
        ended = wait_for_run(api, run, Teller(console()))
        tasks = {task.task_id for task in api.tasks(run.dag_id, run.run_id)}
        pusher.saw(f"{what} on its own commit", ended.bundle_version == commit, f"{ended.bundle_version}"[:10])
        pusher.saw(f"{what} green", ended.state == "success", ended.state)
        pusher.saw(f"{what} of its own chain", ("build_gold" in tasks) == (commit == second), f"{len(tasks)} stages")
        record = next((item for item in runs.runs(run.dag_id) if item.run_key.run_id == run.run_id), None)
        noted = record.bundle_version if record else None
        pusher.saw("Headwater recorded the run's commit", noted == commit, f"{noted}"[:10])
    releases = [item for item in runs.releases(pusher.name) if item.status == "published"]
    versions = {item.kind: [] for item in releases}  # type: dict[str, list[str]]
    for item in releases:
        versions[item.kind].append(str(item.bundle_version))
    pusher.saw(
        "every release names its commit", versions.get("audited") == [second, first], f"{len(releases)} releases"
    )


def _push_other_version(pusher: Pusher) -> None:
    loops = files.loops(pusher.stage.stack.repository, files.REQUIRES)
    pusher.push(f"Mend it; and ask for headwater {files.REQUIRES}", {files.BROKEN: None, **loops})
    pusher.wait("the bundle is refused", lambda: files.REQUIRES in pusher.error("sources.py"))
    told = pusher.error("sources.py")
    words = "written for another version"
    pusher.saw("a bundle for another version is refused in words", words in told, _line(told, words))


def _take_back(pusher: Pusher) -> None:
    commit = pusher.push("Take that back", dict(files.loops(pusher.stage.stack.repository)))

    def loads() -> bool:
        return not pusher.error("sources.py") and files.BROKEN not in pusher.error("refused.py")

    pusher.wait("no import error of it is left", loads)
    newest = pusher.deployments.versions(pusher.name)[0]
    pusher.saw("taken back, everything loads again", newest.commit == commit, commit[:10])


def _line(text: str, words: str) -> str:
    return next((line.strip() for line in text.splitlines() if words in line), text[-120:])
