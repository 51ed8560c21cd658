"""What ``headwater rebuild`` refuses before Airflow is asked."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from headwater.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bronze.flights.flights"], "bronze is what the source gave"),
        (["flights"], "silver.<source>.<table>"),
        (["gold.flights.daily_departures", "--from", "1"], "no --from"),
        (["silver.flights.flights", "--from", "yesterday"], "a batch (17) or an instant"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused_at_once(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_PROFILE", "/no/such/profile.yaml")
    result = CliRunner().invoke(app, ["rebuild", *arguments])
    assert result.exit_code == 1
    assert said in result.stderr
