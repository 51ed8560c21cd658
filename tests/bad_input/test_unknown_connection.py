"""Nobody but a run asks for a connection, and a run that lacks one ends before it reads anything."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from tests.bad_input.bad_input import WrongData
from tests.bad_input.table import cases
from tests.bad_input.unknown_connection import PARSED, RUN, VALIDATED
from tests.chain.stage import context
from typer.testing import CliRunner

from headwater.adapters.platform import LocalPlatform
from headwater.cli.main import app
from headwater.domain.errors import HeadwaterError
from headwater.services.stages import preflight

PARSE = """
import sys
from headwater_airflow.dag_factory import register_sources
asked = []
sys.addaudithook(lambda event, given: event.startswith(("socket.c", "socket.getad")) and asked.append(event))
found = {}
register_sources(found, __import__("pathlib").Path(sys.argv[1]), requires=">=0.1,<0.2")
assert set(found) == {"shop"}, found
assert not asked, asked
"""


def test_validate_says_that_connections_are_not_checked(files: Any) -> None:
    said = CliRunner().invoke(app, ["validate"])
    assert said.exit_code == VALIDATED.exit_status
    assert "Connections not checked: shop_db" in said.stdout


def test_parsing_never_looks(files: Any) -> None:
    done = subprocess.run([sys.executable, "-c", PARSE, str(files.root)], capture_output=True, text=True, check=False)
    assert done.returncode == PARSED.exit_status, done.stderr


def test_preflight_fails_before_any_read_and_names_how_to_create_it(shop: Any) -> None:
    shop.declare(next(case for case in cases(WrongData) if case.outcome == "carried"))
    shop.connections.write_text("another_db=postgres://a:b@localhost/c\n")
    platform = LocalPlatform(shop.settings)
    try:
        run = context(platform, "shop", uuid4().hex)
        with pytest.raises(HeadwaterError) as refused:
            preflight.run(platform, run)
        assert refused.value.code == RUN.code
        assert platform.runs.plan(run.key) is None
    finally:
        platform.close()
    command = f"echo 'shop_db=postgres://<login>:<password>@<host>:5432/<database>' >> {shop.connections}"
    assert command in (refused.value.remedy or "")
