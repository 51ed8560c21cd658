"""Columns that a contract names and its table does not have: the gate would close on them, run for run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from headwater.domain.errors import SpecError
from headwater.model.contracts.contract import parse_contract, written_checks

At = tuple[str | int, ...]


def absent_columns(text: str, file: str, columns: Iterable[str]) -> Iterator[SpecError]:
    """An error for each; nothing of a text that is no contract, which the lint refuses.

    :param columns: of the table.
    """
    try:
        document = parse_contract(text, file)
    except SpecError:
        return
    if not isinstance(document.value, dict):
        return
    known = {name.lower(): name for name in columns}
    for at, name in _named(document.value):
        if name.lower() not in known:
            near = get_close_matches(name.lower(), known, n=1)
            yield SpecError(
                f"the table has no column {name!r}",
                document.locate(at),
                got=repr(name),
                allowed=", ".join(known.values()),
                remedy=f"did you mean {known[near[0]]!r}?" if near else "Take it out, or have the table make it.",
            )


def _named(content: dict[str, object]) -> Iterator[tuple[At, str]]:
    columns = content.get("columns")
    for index, column in enumerate(columns if isinstance(columns, list) else ()):
        if isinstance(column, dict) and isinstance(column.get("name"), str):
            yield ("columns", index, "name"), column["name"]
    for check in written_checks(content):
        listed = check.body.get("columns")
        for index, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str):
                yield (*check.at, "columns", index), name
        if isinstance(check.body.get("column"), str):
            yield (*check.at, "column"), check.body["column"]
