"""The page of a run says what its files changed; whatever a value holds, it is text."""

from __future__ import annotations

from headwater.domain.change import Effect, SpecChange
from headwater.domain.names import TableName
from headwater_airflow.ui.pages import releases

CHANGE = SpecChange(
    table=TableName.parse("silver.shop.orders"),
    path="columns.note.expression",
    was="a < b",
    now="<script>",
    effect=Effect.REBUILD,
    why="rows refined so far hold what the earlier expression gave",
    destroys="<b>",
)


def test_the_page_of_a_run_tells_what_its_files_changed() -> None:
    text = releases("shop", "one", (), (CHANGE,))
    assert "Changed files" in text
    for shown in ("silver.shop.orders", "columns.note.expression", "&quot;a &lt; b&quot;", "rebuild"):
        assert shown in text
    assert "<script>" not in text
    assert "lost: &lt;b&gt;" in text


def test_a_run_that_changed_nothing_says_nothing_of_changes() -> None:
    assert "Changed files" not in releases("shop", "one", ())
