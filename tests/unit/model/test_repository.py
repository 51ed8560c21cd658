"""A repository is read whole: all its findings at once, and what is right of it."""

from __future__ import annotations

from typing import Any

from headwater.model.repository import load_repository

SHOP = "dags/sources/shop.yaml"


def test_a_good_repository_has_no_finding(files: Any) -> None:
    repository = load_repository(files.root)
    assert repository.errors == ()
    assert repository.warnings == ()
    assert [pipeline.name for pipeline in repository.pipelines] == ["shop", "report"]


def test_a_wrong_file_leaves_its_neighbours_loaded(files: Any) -> None:
    files.write({"dags/sources/broken.yaml": "tables: ["})
    repository = load_repository(files.root)
    assert [pipeline.name for pipeline in repository.pipelines] == ["shop", "report"]
    assert len(repository.errors) == 1


def test_all_findings_of_a_file_are_reported_at_once(files: Any) -> None:
    files.replace(SHOP, "{mode: scd2}", "{mode: append}")
    files.replace(SHOP, "cursor: updated_at, ", "")
    assert len(load_repository(files.root).errors) == 2


def test_what_is_wrong_with_the_defaults_is_told_once(files: Any) -> None:
    """Not for each table that has them."""
    files.replace(SHOP, "{kind: sql,", "{kind: kafka,")
    (error,) = load_repository(files.root).errors
    assert error.got == "'kafka'"


def test_a_wrong_kind_of_value_is_told_in_words_of_yaml(files: Any) -> None:
    """No class of the code is named."""
    files.replace(SHOP, "    silver: {mode: scd2}", "    accept: [cross_join]\n    silver: {mode: scd2}")
    (error,) = load_repository(files.root).errors
    assert (error.message, error.allowed) == ("the value should be a mapping", "a mapping")


def test_near_misses_are_suggested(files: Any) -> None:
    files.replace(SHOP, "connection:", "conection:")
    remedies = [error.remedy or "" for error in load_repository(files.root).errors]
    assert any("did you mean 'connection'" in remedy for remedy in remedies)


def test_invisible_deletes_are_a_warning_rule_31(files: Any) -> None:
    files.replace(SHOP, ", deleted_column: gone", "")
    repository = load_repository(files.root, practices=True)
    assert repository.errors == ()
    (warning,) = (item for item in repository.warnings if "rule 31" in item.message)
    assert warning.where is not None
    assert warning.where.line == 9
