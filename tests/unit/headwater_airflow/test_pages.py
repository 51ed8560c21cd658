"""The page of a run says what its files changed; whatever a value holds, it is text."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.change import Effect, SpecChange
from headwater.domain.names import TableName
from headwater.domain.release import Release
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


def test_a_release_names_the_commit_that_made_it() -> None:
    made = Release(
        id="r-1", run_key="i/shop/one", pipeline="shop", kind="audited", status="published",
        created_at=datetime(2026, 11, 21, tzinfo=UTC), bundle_version="c0ffee<b>",
    )  # fmt: skip
    assert "by commit <code>c0ffee&lt;b&gt;</code>" in releases("shop", "one", (made,))
    assert "commit" not in releases("shop", "one", (made.model_copy(update={"bundle_version": None}),))
