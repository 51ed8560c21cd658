"""The schema editors use accepts what Headwater accepts and refuses what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from headwater.model.json_schema import json_schema


def _validator(kind: Any) -> Draft202012Validator:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _read(files: Any, name: str) -> Any:
    return yaml.safe_load((files.root / name).read_text())


@pytest.mark.parametrize(
    ("kind", "file"), [("source", "dags/sources/shop.yaml"), ("product", "dags/products/report.yaml")]
)
def test_a_good_file_fits(files: Any, kind: str, file: str) -> None:
    assert list(_validator(kind).iter_errors(_read(files, file))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("conection", "x"),
        ("schedule", {"every": "soon"}),
        ("tables", {"../evil": {}}),
        ("extract", {"mod": "snapshot"}),
    ],
)
def test_a_wrong_file_does_not(files: Any, key: str, value: object) -> None:
    content = _read(files, "dags/sources/shop.yaml") | {key: value}
    assert list(_validator("source").iter_errors(content))


@pytest.mark.parametrize("value", ["268435456", 268435456, 0.5, True])
def test_a_property_is_written_with_or_without_quotes(files: Any, value: object) -> None:
    content = _read(files, "dags/sources/shop.yaml")
    content["tables"]["customers"]["silver"]["properties"] = {"write.target-file-size-bytes": value}
    assert list(_validator("source").iter_errors(content)) == []


@pytest.mark.parametrize("kind", ["source", "product"])
def test_every_key_is_described(kind: Any) -> None:
    schema = json_schema(kind)
    for part in (schema, *schema["$defs"].values()):
        assert all(value["description"] for value in part["properties"].values())
