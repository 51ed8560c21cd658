from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from headwater.cli.main import app

ROOT = Path(__file__).resolve().parents[3]
RUNNER = CliRunner()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what this repository deploys."""
    for folder in ("dags", "sql", "include/contracts", "include/runbooks", "tests/sources"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(tmp_path))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / ".headwater"))
    return tmp_path


def test_validate_is_green_for_this_repository(repository: Path) -> None:
    result = RUNNER.invoke(app, ["validate", "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert set(answer["pipelines"]) == {"flights", "weather", "flight_delays_by_weather"}
    assert answer["errors"] == []


def test_validate_names_file_line_and_key_of_an_unknown_key_and_ends_with_1(repository: Path) -> None:
    file = repository / "dags" / "sources" / "weather.yaml"
    file.write_text(file.read_text() + "colour: blue\n")
    result = RUNNER.invoke(app, ["validate", "--json"])
    assert result.exit_code == 1
    [error] = json.loads(result.stdout)["errors"]
    assert error["file"] == "dags/sources/weather.yaml"
    assert error["line"] == len(file.read_text().splitlines())
    assert error["key"] == "colour"
    assert RUNNER.invoke(app, ["validate"]).exit_code == 1


def test_only_what_a_run_would_meet_says_that_a_retry_does_not_help(repository: Path) -> None:
    """A practice stops no run, so that nobody would try one again for it."""
    file = repository / "dags" / "sources" / "flights.yaml"
    text = file.read_text()
    text = text.replace("    description: Carriers by their two-letter code.\n", "")
    file.write_text(
        text.replace("  airports:\n", "  airports:\n    accept: [{practice: cross_join, because: nobody knows}]\n")
    )
    result = RUNNER.invoke(app, ["validate"])
    assert result.exit_code == 1
    assert "warning dags/sources/flights.yaml" in result.output
    assert "error   dags/sources/flights.yaml" in result.output
    assert "a retry" not in result.output
    answer = json.loads(RUNNER.invoke(app, ["validate", "--json"]).stdout)
    assert {item["retry_helps"] for item in answer["errors"] + answer["warnings"]} == {None}
    file.write_text(text + "colour: blue\n")
    assert "a retry does not help [spec_invalid]" in RUNNER.invoke(app, ["validate"]).output


def test_wrong_usage_ends_with_2() -> None:
    assert RUNNER.invoke(app, ["validate", "--no-such-option"]).exit_code == 2
    assert RUNNER.invoke(app, ["query"]).exit_code == 2


@pytest.mark.parametrize("command", [["incidents"], ["clear"], ["releases", "--limit"], ["runs", "--limit"]])
def test_a_number_beyond_what_is_counted_is_wrong_usage(command: list[str]) -> None:
    assert RUNNER.invoke(app, [*command, str(2**31)]).exit_code == 2


@pytest.mark.parametrize(
    ("kind", "file"), [("source", "sources/flights"), ("product", "products/flight_delays_by_weather")]
)
def test_schema_for_editors_accepts_the_demo_and_refuses_unknown_keys(kind: str, file: str) -> None:
    schema = json.loads(RUNNER.invoke(app, ["schema", kind]).stdout)
    document = yaml.safe_load((ROOT / "dags" / f"{file}.yaml").read_text())
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "colour": "blue"}, schema)


def test_lineage_leads_from_the_product_to_the_sources(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FLIGHTS_DB", "postgres://reader:secret@localhost/flights")
    table = "gold.flight_delays_by_weather.hourly_delays"
    answer = json.loads(RUNNER.invoke(app, ["lineage", table, "--json"]).stdout)
    assert set(answer["made_of"]) == {"silver.flights.flights", "silver.weather.observations"}
    tree = RUNNER.invoke(app, ["lineage", table]).stdout
    assert "flights_db:public.flights" in tree
    assert "weather_landing:*.csv" in tree
    down = json.loads(RUNNER.invoke(app, ["lineage", "bronze.flights.flights", "--json"]).stdout)
    assert down["used_by"] == ["silver.flights.flights"]


@pytest.mark.parametrize("form", ["lake.gold.flights__daily_departures", "gold.flights.daily_departures"])
def test_lineage_takes_every_form_of_a_name(repository: Path, form: str) -> None:
    answer = json.loads(RUNNER.invoke(app, ["lineage", form, "--json"]).stdout)
    assert answer["table"] == "gold.flights.daily_departures"


def test_unknown_table_is_explained_and_ends_with_1(repository: Path) -> None:
    result = RUNNER.invoke(app, ["lineage", "gold.flights.nothing"])
    assert result.exit_code == 1
    assert "gold.flights.daily_departures" in result.stderr
    assert "[not_found]" in result.stderr
    assert result.stdout == ""


def test_a_program_that_asks_for_json_gets_it_of_a_failure_too(repository: Path) -> None:
    result = RUNNER.invoke(app, ["lineage", "gold.flights.nothing", "--json"])
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["got"], error["retry_helps"]) == ("not_found", "gold.flights.nothing", False)
    assert "gold.flights.daily_departures" in error["allowed"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "--json"], "Missing argument"),
        (["incidents", "--json", "--colour"], "--colour"),
        (["incidents", "zero", "--json"], "valid integer"),
        (["no-such-command", "--json"], "no-such-command"),
        (["--json", "incidents"], "--json"),
        (["connections", "check", "--json", "--colour"], "--colour"),
    ],
)
def test_wrong_usage_is_a_document_too_where_json_was_asked_for(args: list[str], words: str) -> None:
    result = RUNNER.invoke(app, args)
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["retry_helps"]) == ("usage", False)
    assert words in error["message"]
    assert "Usage:" in result.stderr
    plain = RUNNER.invoke(app, [word for word in args if word != "--json"])
    assert "{" not in plain.stdout
