"""Writes one key of a table's entry into a source's YAML, and leaves every other character as it is."""

from __future__ import annotations

from typing import Any

import yaml

from headwater.domain.errors import Location, NotFoundError, SpecError
from headwater.model.yaml_text import parse_yaml


def with_table_key(text: str, file: str, table: str, key: str, value: str) -> str:
    """The text with ``key: value`` in the entry of ``table``; a value that is there already is replaced.

    :param file: how errors name the file.
    :param value: a plain scalar, written as it is.
    :raises NotFoundError: when the file has no such table.
    :raises SpecError: when the file is not what Headwater reads, or cannot be edited without touching other lines.
    """
    before = parse_yaml(text.encode(), file).value
    entry = _entry(yaml.compose(text, Loader=yaml.SafeLoader), file, table)
    edited = _edited(text, entry, key, value)
    wanted = {**before, "tables": {**before["tables"], table: {**before["tables"][table], key: value}}}
    if parse_yaml(edited.encode(), file).value != wanted:
        where = Location(file, entry.start_mark.line + 1, f"tables.{table}")
        raise SpecError(f"{key} cannot be written here by a program", where, remedy=f"Write `{key}: {value}` yourself.")
    return edited


def _edited(text: str, entry: yaml.MappingNode, key: str, value: str) -> str:
    known = next((item for name, item in entry.value if name.value == key), None)
    if known is not None:
        return text[: known.start_mark.index] + value + text[known.end_mark.index :]
    first = entry.value[0][0].start_mark
    if entry.flow_style:
        return f"{text[: first.index]}{key}: {value}, {text[first.index :]}"
    return f"{text[: first.index]}{key}: {value}\n{' ' * first.column}{text[first.index :]}"


def _entry(root: Any, file: str, table: str) -> yaml.MappingNode:
    tables = _child(root, "tables")
    found = _child(tables, table)
    if not isinstance(found, yaml.MappingNode) or not found.value:
        known = [name.value for name, _ in tables.value] if isinstance(tables, yaml.MappingNode) else []
        raise NotFoundError(f"{file} has no table {table}", allowed=", ".join(known) or "a source with tables")
    return found


def _child(node: Any, name: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)
