"""Bounds between chunks are conditions that no collation, NULL or value of a key can bend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.cursors import Cursor
from headwater.adapters.sources.mysql.keyset import Keyset, keyset

AT = SourceColumn("at", "datetime", "datetime(3)")
NOTE = SourceColumn("no`te", "varchar", "varchar(9)", collation="utf8mb4_general_ci")
ID = SourceColumn("id", "bigint", "bigint(20) unsigned")
BYTES = "CAST(CONVERT(t.`no``te` USING utf8mb4) AS BINARY)"


def ordered(*key: str) -> Keyset:
    return keyset(Cursor(AT), (AT, NOTE, ID), key)


def test_texts_are_ordered_and_compared_by_their_bytes() -> None:
    assert ordered("no`te", "at", "id").order() == f"t.`at`, {BYTES}, t.`id` + 0"
    assert ordered("no`te", "id").up_to(("2026-01-01", "C3A4", "7")) == (
        f"t.`at` <= '2026-01-01' AND (t.`at` < '2026-01-01' OR COALESCE(({BYTES}, t.`id` + 0) <= (X'C3A4', 7), FALSE))"
    )


def test_what_is_after_a_bound_is_what_is_not_up_to_it() -> None:
    order = ordered("id")
    assert order.after(("2026-01-01", "7")) == f"t.`at` >= '2026-01-01' AND NOT ({order.up_to(('2026-01-01', '7'))})"
    assert (order.up_to(("2026-01-01",)), order.after(("2026-01-01",))) == (
        "t.`at` <= '2026-01-01'",
        "t.`at` > '2026-01-01'",
    )


def test_a_key_with_a_null_or_a_row_that_left_meanwhile_is_no_bound() -> None:
    """Then all rows of its cursor stay in one chunk."""
    for keys in ([("C3A4", None)], []):
        answers: list[Sequence[Sequence[Any]]] = [[("2026-01-01",), ("2026-01-02",)], [(3,)], keys]
        bound = ordered("no`te", "id").bound_after(lambda _, left=answers: left.pop(0), ("shop", "t"), "TRUE", None, 5)  # type: ignore[misc]
        assert bound == ("2026-01-01",)


def test_where_no_row_follows_there_is_no_bound() -> None:
    assert ordered("id").bound_after(lambda _: [("2026-01-01",)], ("shop", "t"), "TRUE", None, 5) is None
