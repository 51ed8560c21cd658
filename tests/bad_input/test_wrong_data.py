"""Rows of a source that cannot be taken as they are: set aside with the rule they break, or the stage is red."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.bad_input.bad_input import WrongData
from tests.bad_input.shop import READING
from tests.bad_input.table import cases

STAGE = Path(__file__).parents[1] / "chain" / "stage.py"
COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY ordinal_position"


@pytest.mark.parametrize("case", cases(WrongData), ids=lambda case: f"{case.rule} - {case.case}")
def test_wrong_data_ends_where_the_table_says(shop: Any, case: WrongData) -> None:
    shop.declare(case)
    if case.then:
        shop.run(uuid4().hex)
        shop.source(case.then)
    met = shop.run(uuid4().hex)
    rows, columns = shop.where_rows_are(met.run)
    rule = case.code if case.outcome == "set aside" else None
    assert (met.exit_status, met.code or rule, rows) == (case.exit_status, case.code, case.rows)
    if columns and not case.landed:
        with psycopg.connect(shop.source_url) as session:
            assert columns == [row[0] for row in session.execute(COLUMNS)]


@pytest.mark.parametrize("outcome", ["refused", "set aside"])
def test_the_status_is_that_of_the_stages_own_process(shop: Any, outcome: str) -> None:
    case = next(case for case in cases(WrongData) if case.outcome == outcome)
    shop.declare(case)
    run_id = uuid4().hex
    command = [sys.executable, str(STAGE), str(shop.profile), "shop", run_id]
    ended = [
        subprocess.run([*command, stage], capture_output=True, text=True, timeout=120, check=False) for stage in READING
    ]
    shop.close(run_id)
    assert max(done.returncode for done in ended) == case.exit_status, ended[-1].stderr
    assert (f"[{case.code}]" in "".join(done.stderr for done in ended)) == (outcome == "refused")
