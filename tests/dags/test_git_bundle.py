"""Deploy by push: what Airflow's own Git bundle does with a repository of Headwater, and when Git is not at hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag

from headwater.adapters.embedded.airflow_environment import PUSHED, AirflowPlace, airflow_environment
from headwater.adapters.embedded.bare_repository import BareRepository
from headwater.cli.demo import pushed_files as files
from headwater.model.repository import load_pipeline
from headwater_airflow.operators.bundle import bundle_version

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # Airflow's and GitPython's own use of their pasts

ROOT = Path(__file__).resolve().parents[2]
Push = Callable[[str, dict[str, Any]], str]
Serve = Callable[..., Any]


def bundles() -> DagBundlesManager:
    return DagBundlesManager()  # type: ignore[no-untyped-call]


@pytest.fixture
def bare(tmp_path: Path) -> BareRepository:
    made = BareRepository(tmp_path / "dags.git")
    made.ensure()
    return made


@pytest.fixture
def push(bare: BareRepository) -> Push:
    def one(message: str, changed: dict[str, Any]) -> str:
        with bare.checkout() as clone:
            return clone.push(message, changed)

    return one


@pytest.fixture
def serve(bare: BareRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """``serve(machine, version)``: the bundle as the demo configures it, initialised on a machine of that name."""
    place = AirflowPlace(tmp_path / "home", ROOT, 1, "postgresql://", bare.folder)
    monkeypatch.setenv("AIRFLOW_CONN_GIT_DEFAULT", "git://")
    for name, value in airflow_environment(place, {}).items():
        if name.startswith("AIRFLOW__DAG_PROCESSOR__"):
            monkeypatch.setenv(name, value)

    def on(machine: str = "one", version: str | None = None) -> Any:
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / machine))
        bundle = bundles().get_bundle(PUSHED, version)
        bundle.initialize()
        return bundle

    return on


def dags(bundle: Any) -> dict[str, Any]:
    found: dict[str, Any] = DagBag(bundle.path, bundle_path=bundle.path, bundle_name=PUSHED).dags
    return found


def first() -> dict[str, Any]:
    return files.loops(ROOT) | files.source("carriers")


def test_only_the_declaring_folders_are_served(push: Push, serve: Serve) -> None:
    """Rule 43: code comes from the installed distribution, whatever the repository holds beside its YAML."""
    push("first", first() | {"include/headwater/domain/names.py": "raise SystemExit", "plugins/evil.py": "1 / 0"})
    bundle = serve()
    root = bundle.path.parent
    served = {
        str(path.relative_to(root).parent) for path in root.rglob("*") if path.is_file() and ".git" not in path.parts
    }
    contracts = "include/contracts"
    assert served == {"dags", "dags/sources", f"{contracts}/bronze/carriers", f"{contracts}/silver/carriers"}


def test_a_run_goes_on_by_the_files_of_its_own_commit(push: Push, serve: Serve) -> None:
    """YAML, SQL and contracts alike; the newest commit is served beside it."""
    before, after = push("first", first()), push("gold", dict(files.with_gold("carriers")))
    old, new = serve(version=before), serve(version=after)
    assert "build_gold" not in dags(old)["carriers"].task_ids
    dag = dags(new)["carriers"]
    assert "build_gold" in dag.task_ids
    repository = dag.get_task("plan_run").repository
    assert repository == new.path.parent.resolve()
    spec = load_pipeline(repository, repository / "dags/sources/carriers.yaml")
    assert "substring(name, 1, 1)" in spec.gold[0].sql
    assert not (old.path.parent / "sql").exists()


def test_a_deleted_yaml_takes_its_dag_and_leaves_its_runs(push: Push, serve: Serve) -> None:
    before = push("first", first())
    push("gone", dict.fromkeys(files.source("carriers")))
    assert dags(serve()) == {}
    assert set(dags(serve(version=before))) == {"carriers"}


def test_a_repository_for_another_version_gives_no_dag_and_says_why(push: Push, serve: Serve) -> None:
    """Rule 43."""
    push("next", first() | files.loops(ROOT, files.REQUIRES))
    bundle = serve()
    bag = DagBag(bundle.path, bundle_path=bundle.path, bundle_name=PUSHED)
    assert bag.dags == {}
    for words in ("written for another version of Headwater", "got: headwater ", f"allowed: {files.REQUIRES}"):
        assert words in bag.import_errors["sources.py"]


def test_after_a_forced_push_a_run_finds_its_commit_only_where_it_was_fetched(
    push: Push, serve: Serve, bare: BareRepository
) -> None:
    push("root", files.loops(ROOT))
    serve("old")
    lost = push("first", files.source("carriers"))
    serve("old").refresh()
    rewrite(bare)
    served = serve("old")
    served.refresh()
    assert dags(served) == {}
    assert set(dags(serve("old", lost))) == {"carriers"}
    with pytest.raises(Exception, match=f"Version {lost} not found"):
        serve("new", lost)


def rewrite(bare: BareRepository) -> None:
    """What ``git push --force`` of an older commit leaves on the server, once it has cleared up."""
    from git import Repo

    with Repo(bare.folder) as repo:
        repo.git.update_ref("refs/heads/main", "main~1")
        repo.git.reflog("expire", "--expire=now", "--all")
        repo.git.gc("--prune=now", "--quiet")


def test_a_deleted_branch_leaves_what_was_served(push: Push, serve: Serve, bare: BareRepository) -> None:
    push("first", first())
    bundle = serve("old")
    (bare.folder / "refs/heads/main").unlink()
    bundle.refresh()
    assert set(dags(bundle)) == {"carriers"}
    with pytest.raises(RuntimeError, match="Error cloning"):
        serve("new")


def test_an_unreachable_server_leaves_what_was_served(push: Push, serve: Serve, bare: BareRepository) -> None:
    commit = push("first", first())
    bundle = serve()
    serve(version=commit)
    shutil.move(bare.folder, bare.folder.with_suffix(".away"))
    with pytest.raises(Exception, match="does not appear to be a git repository"):
        bundle.refresh()
    assert set(dags(bundle)) == {"carriers"}
    assert set(dags(serve(version=commit))) == {"carriers"}, "a commit that is checked out needs no server"
    with pytest.raises(RuntimeError, match="Error cloning"):
        serve("new", commit)


def test_an_outage_at_a_task_start_stops_refreshing_until_another_task_fetches(
    push: Push, serve: Serve, bare: BareRepository
) -> None:
    """A limit of Airflow's Git bundle where tasks and DAG processor share a disk; the guide names the way out."""
    commit = push("first", first())
    bundle = serve()
    away = bare.folder.with_suffix(".away")
    shutil.move(bare.folder, away)
    with pytest.raises(RuntimeError, match="Error cloning"):
        serve(version=commit)
    shutil.move(away, bare.folder)
    with pytest.raises(AttributeError):
        bundle.refresh()
    serve(version=commit)
    push("gold", dict(files.with_gold("carriers")))
    bundle.refresh()
    assert "build_gold" in dags(bundle)["carriers"].task_ids


def test_a_task_knows_its_commit_pinned_or_not(push: Push, serve: Serve) -> None:
    before, after = push("first", first()), push("gold", dict(files.with_gold("carriers")))
    found = [bundle_version(context(serve(version=version))) for version in (before, after, None)]
    assert found == [before, after, after]
    local = bundles().get_bundle("dags-folder")
    assert bundle_version(context(local)) is None


def context(bundle: Any) -> Any:
    return {"ti": SimpleNamespace(bundle_instance=bundle)}


def test_without_git_only_the_folder_is_served(tmp_path: Path) -> None:
    """Airflow cannot even load its Git bundle then, and would start nothing."""
    place = AirflowPlace(tmp_path, ROOT, 1, "postgresql://")
    served = json.loads(airflow_environment(place, {})["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    assert [bundle["name"] for bundle in served] == ["dags-folder"]
