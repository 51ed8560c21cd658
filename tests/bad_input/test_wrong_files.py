"""A wrong file is refused with its place and its code, ``headwater validate`` ends with 1, and no DAG comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.bad_input.bad_input import BadInput, WrongFiles, WrongText
from tests.bad_input.table import cases
from typer.testing import CliRunner

from headwater.cli.main import app
from headwater.domain.errors import SpecError
from headwater.model.layout import Layout
from headwater.model.repository import load_pipeline, load_repository

RUNNER = CliRunner()


def errors_of(files: Any, case: BadInput) -> tuple[SpecError, ...]:
    """What the repository's errors are, once ``headwater validate`` has said the same."""
    found = load_repository(files.root).errors
    said = RUNNER.invoke(app, ["validate", "--json"])
    assert said.exit_code == case.exit_status
    assert [error["message"] for error in json.loads(said.stdout)["errors"]] == [error.message for error in found]
    assert {error.code for error in found} == {case.code}
    assert not any(error.retry_helps for error in found)
    return found


@pytest.mark.parametrize("case", cases(WrongText), ids=str)
def test_wrong_text_is_refused_with_its_place(files: Any, case: WrongText) -> None:
    files.replace(case.file, case.old, case.new)
    error = errors_of(files, case)[0]
    assert error.where is not None
    assert case.message in error.message
    assert case.allowed in (error.allowed or "")
    assert (error.where.file, error.where.line, error.where.key) == (case.file, case.line, case.key)


@pytest.mark.parametrize("case", cases(WrongFiles), ids=str)
def test_wrong_files_are_refused_by_name(files: Any, case: WrongFiles) -> None:
    files.write(case.changes)
    found = [error for error in errors_of(files, case) if case.message in error.message]
    assert found
    assert found[0].where is not None
    assert found[0].where.file == case.file


@pytest.mark.parametrize("case", [case for case in cases(WrongText) if case.file == "dags/sources/shop.yaml"], ids=str)
def test_a_wrong_file_gives_no_dag(files: Any, case: WrongText) -> None:
    files.replace(case.file, case.old, case.new)
    deep = load_repository(files.root)
    assert "shop" not in {source.name for source in deep.sources}
    with pytest.raises(SpecError):
        load_pipeline(files.root, Layout(files.root).source_files()[0])


def test_no_error_shows_a_password(files: Any) -> None:
    files.replace("dags/sources/shop.yaml", "shop_db", "postgres://u:hunter2:@pg@db.example.com/shop")
    (error, *_) = load_repository(files.root).errors
    assert (error.got, "hunter2" in str(error)) == ("'postgres://u:***@db.example.com/shop'", False)


def test_no_error_names_a_path_outside_the_repository(files: Any, tmp_path: Path) -> None:
    files.replace("dags/sources/shop.yaml", "  customers:", '  "../../etc/passwd":')
    assert str(tmp_path) not in "".join(str(error) for error in load_repository(files.root).errors)
