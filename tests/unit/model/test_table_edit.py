"""One key of a table is written; every other character stays."""

from __future__ import annotations

import difflib

import pytest

from headwater.domain.errors import NotFoundError
from headwater.model.table_edit import with_table_key

BLOCK = """\
# planes
tables:
  planes:   # by tail number
    key: [tailnum]   # unique
    silver: {mode: scd2}

  airlines: {key: [carrier], silver: {mode: scd2}}
  airports:
    drift: stop  # never
    key: [faa]
"""


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        ("planes", ["+    drift: evolve"]),
        (
            "airlines",
            [
                "-  airlines: {key: [carrier], silver: {mode: scd2}}",
                "+  airlines: {drift: evolve, key: [carrier], silver: {mode: scd2}}",
            ],
        ),
        ("airports", ["-    drift: stop  # never", "+    drift: evolve  # never"]),
    ],
)
def test_only_the_tables_own_line_changes(table: str, changed: list[str]) -> None:
    edited = with_table_key(BLOCK, "f.yaml", table, "drift", "evolve")
    lines = difflib.unified_diff(BLOCK.splitlines(), edited.splitlines(), n=0, lineterm="")
    assert [line for line in lines if line[:3] not in {"---", "+++"} and line[0] != "@"] == changed
    assert with_table_key(edited, "f.yaml", table, "drift", "evolve") == edited


@pytest.mark.parametrize("text", [BLOCK, "description: x\n", "tables: []\n", "tables: {ships: {}}\n"])
def test_a_table_that_is_not_there_is_named(text: str) -> None:
    with pytest.raises(NotFoundError, match="no table ships"):
        with_table_key(text, "f.yaml", "ships", "drift", "evolve")
