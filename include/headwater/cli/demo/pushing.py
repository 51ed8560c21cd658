"""``make demo-push``: what a push into the bare repository does to the demo that is serving."""

from __future__ import annotations

from headwater.cli.awaiting import wait_for_run
from headwater.cli.demo import pushed_files as files
from headwater.cli.demo.pusher import Pusher, pusher, short
from headwater.cli.demo.running import Teller, wait_until_known
from headwater.cli.output import console, print_table
from headwater.domain.errors import StackError
from headwater.ports.airflow_api import DagRun


def play_push() -> None:
    """Push a source, a change while it runs, two pushes that must not pass, and the way back.

    :raises StackError: when Git or Airflow does not do what is shown, or a finding is not what it should be.
    """
    with pusher() as dev:
        first = _push_source(dev)
        running = _start_and_stop_half_way(dev)
        second = _push_change(dev)
        later = dev.stage.api.trigger(dev.name, {"reason": "demo-push, after the change"})
        dev.stage.api.unpause(dev.name)
        _push_mistake(dev)
        _compare(dev, "the run that was at work", running, first, has_gold=False)
        _compare(dev, "the run after it", later, second, has_gold=True)
        _look_at_releases(dev, [first, second])
        _push_other_version(dev)
        _take_back(dev)
        rows = [("✓" if finding.holds else "✗", finding.what, finding.found) for finding in dev.findings]
        print_table("Deployed by push", ["", "", "seen"], rows)
        if not all(finding.holds for finding in dev.findings):
            raise StackError("A push did not do what it should; see the table above.")
        bare = dev.stage.stack.pushed.folder
        console().print(f"Push yourself: git clone {bare}", highlight=False, soft_wrap=True, markup=False)


def _push_source(dev: Pusher) -> str:
    changed = files.loops(dev.stage.stack.repository) | files.source(dev.name)
    commit = dev.push(f"Add the source {dev.name}", dict(changed))
    wait_until_known(dev.stage.api, [dev.name])
    dev.wait(f"the DAG {dev.name} is there", lambda: bool(dev.deployments.versions(dev.name)))
    newest = dev.deployments.versions(dev.name)[0]
    dev.found("a pushed YAML is a DAG of that commit", newest.commit == commit, f"{dev.name} at {short(newest.commit)}")
    return commit


def _start_and_stop_half_way(dev: Pusher) -> DagRun:
    """A paused DAG starts no further task, so that the change surely comes while the run is at work."""
    api = dev.stage.api
    run = api.trigger(dev.name, {"reason": "demo-push, before the change"})

    def has_planned() -> bool:
        return any(t.task_id == "plan_run" and t.state == "success" for t in api.tasks(dev.name, run.run_id))

    dev.wait("a run has planned; it is stopped half way", has_planned)
    dev.deployments.pause(dev.name)
    return run


def _push_change(dev: Pusher) -> str:
    commit = dev.push(f"Add gold to {dev.name}", dict(files.with_gold(dev.name)))
    dev.wait("the DAG has a new version", lambda: dev.deployments.versions(dev.name)[0].commit == commit)
    number = dev.deployments.versions(dev.name)[0].number
    dev.found("a pushed change is a new DAG version", number > 1, f"version {number} at {short(commit)}")
    return commit


def _push_mistake(dev: Pusher) -> None:
    dev.push("A YAML with a typing mistake", dict(files.broken()))
    dev.wait("an import error names the file", lambda: files.BROKEN in dev.error("refused.py"))
    told = _line(dev.error("refused.py"), files.WRONG_KEY)
    dev.found("a broken push is an import error with file, line and key", files.BROKEN in told, told)


def _compare(dev: Pusher, which: str, run: DagRun, commit: str, *, has_gold: bool) -> None:
    """A run ends green beside the broken file, by the files of its own commit."""
    api, runs = dev.stage.api, dev.stage.platform.runs
    ended = wait_for_run(api, run, Teller(console()))
    stages = {task.task_id for task in api.tasks(run.dag_id, run.run_id)}
    recorded = next((item for item in runs.runs(run.dag_id) if item.run_key.run_id == run.run_id), None)
    noted = recorded.bundle_version if recorded else None
    dev.found(f"{which} is green", ended.state == "success", ended.state)
    dev.found(f"{which} has the stages of its commit", ("build_gold" in stages) is has_gold, f"{len(stages)} stages")
    dev.found(f"{which} is of its commit", ended.bundle_version == noted == commit, short(noted))


def _look_at_releases(dev: Pusher, commits: list[str]) -> None:
    found = dev.stage.platform.runs.releases(dev.name)
    audited = [release.bundle_version for release in reversed(found) if release.kind == "audited"]
    seen = ", ".join(short(version) for version in audited)
    dev.found("every release names its commit", audited == commits, seen)


def _push_other_version(dev: Pusher) -> None:
    loops = files.loops(dev.stage.stack.repository, files.REQUIRES)
    dev.push(f"Mend it; and ask for headwater {files.REQUIRES}", {files.BROKEN: None, **loops})
    dev.wait("the bundle is refused", lambda: files.REQUIRES in dev.error("sources.py"))
    words = "written for another version of Headwater"
    told = dev.error("sources.py")
    dev.found("a bundle for another version is refused in words", words in told, _line(told, words))


def _take_back(dev: Pusher) -> None:
    commit = dev.push("Take that back", dict(files.loops(dev.stage.stack.repository)))

    def loads() -> bool:
        return not dev.error("sources.py") and files.BROKEN not in dev.error("refused.py")

    def is_of_it() -> bool:
        return dev.deployments.versions(dev.name)[0].commit == commit

    dev.wait("no import error of it is left", loads)
    # Airflow writes no DAG twice in 30 s, and tells of no error all the same: the next look writes it.
    dev.wait("the DAG is of that commit", is_of_it)
    dev.found("taken back, everything loads again", is_of_it(), short(commit))


def _line(text: str, words: str) -> str:
    return next((line.strip() for line in text.splitlines() if words in line), text[-120:])
