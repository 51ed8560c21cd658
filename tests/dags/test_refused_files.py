"""A wrong YAML file is loud, and takes no other DAG along."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:airflow.*")  # Airflow's own use of its own past


def parse(repository: Path) -> DagBag:
    return DagBag(repository / "dags", bundle_path=repository / "dags", bundle_name="dags-folder")


def test_a_wrong_file_is_an_import_error_with_file_line_and_key(repository: Path) -> None:
    file = repository / "dags" / "sources" / "flights.yaml"
    file.write_text(file.read_text().replace("  airlines:\n", "  airlines:\n    keyy: [carrier]\n"))
    line = 1 + file.read_text().splitlines().index("    keyy: [carrier]")
    bag = parse(repository)
    assert set(bag.dags) == {
        "weather",
        "flight_delays_by_weather",
        "headwater_watchdog",
        "headwater__maintenance",
        "headwater__offload",
    }
    # an error under sources.py would make Airflow mark every source as broken
    assert set(bag.import_errors) == {"refused.py"}
    shown = bag.import_errors["refused.py"]
    for part in (f"dags/sources/flights.yaml:{line}", "tables.airlines.keyy", "unknown key", "allowed:", "silver"):
        assert part in shown


def test_every_wrong_file_is_named(repository: Path) -> None:
    (repository / "dags/sources/flights.yaml").write_text("description: [")
    (repository / "dags/products/flight_delays_by_weather.yaml").write_text("just text")
    (repository / "dags/sources/Evil-Name.yaml").write_text("description: x")
    bag = parse(repository)
    assert set(bag.dags) == {"weather", "headwater_watchdog", "headwater__maintenance", "headwater__offload"}
    shown = bag.import_errors["refused.py"]
    assert "3 files give no DAG" in shown
    for name in ("sources/flights.yaml", "products/flight_delays_by_weather.yaml", "sources/Evil-Name.yaml"):
        assert name in shown


def test_what_only_airflow_refuses_is_shown_too(repository: Path) -> None:
    """A value that fits the YAML's rules and not Airflow's: a tag longer than Airflow's hundred characters."""
    file = repository / "dags" / "sources" / "weather.yaml"
    file.write_text(file.read_text().replace("aviation-data, email", "a" * 120 + ", email"))
    bag = parse(repository)
    assert "weather" not in bag.dags
    assert "flights" in bag.dags
    assert "dags/sources/weather.yaml" in bag.import_errors["refused.py"]


def test_a_source_and_a_product_share_one_namespace(repository: Path) -> None:
    product = repository / "dags/products/flight_delays_by_weather.yaml"
    product.rename(repository / "dags/products/flights.yaml")
    bag = parse(repository)
    assert set(bag.dags) == {"weather", "headwater_watchdog", "headwater__maintenance", "headwater__offload"}
    assert "dags/products/flights.yaml: two files name the pipeline 'flights'" in bag.import_errors["refused.py"]


def test_the_names_of_headwaters_own_dags_are_taken(repository: Path) -> None:
    source = repository / "dags/sources/weather.yaml"
    source.rename(repository / "dags/sources/headwater_watchdog.yaml")
    bag = parse(repository)
    assert bag.dags["headwater_watchdog"].task_ids == ["watch_runs"]
    assert "one of Headwater's own DAGs has this name" in bag.import_errors["refused.py"]


def test_at_task_start_the_wrong_file_itself_says_why(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "dags/sources/flights.yaml").write_text("nonsense: 1")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "flights")
    bag = parse(repository)
    assert set(bag.import_errors) == {"sources.py"}
    assert "dags/sources/flights.yaml" in bag.import_errors["sources.py"]


def test_a_repository_written_for_another_version_is_refused(repository: Path) -> None:
    file = repository / "dags" / "sources.py"
    file.write_text(file.read_text().replace(">=0.1,<0.2", ">=7"))
    bag = parse(repository)
    assert "written for another version" in bag.import_errors["sources.py"]
    assert "flight_delays_by_weather" in bag.dags
