"""The page of a run says what its files changed; whatever a value holds, it is text."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.domain.change import Effect, SpecChange
from headwater.domain.incident import Incident
from headwater.domain.names import TableName
from headwater.domain.release import Release
from headwater_airflow.ui.pages import incident, incidents, releases

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
    text = releases("/headwater", "shop", "one", (), (CHANGE,))
    assert "Changed files" in text
    for shown in ("silver.shop.orders", "columns.note.expression", "&quot;a &lt; b&quot;", "rebuild"):
        assert shown in text
    assert "<script>" not in text
    assert "lost: &lt;b&gt;" in text


def test_a_run_that_changed_nothing_says_nothing_of_changes() -> None:
    assert "Changed files" not in releases("/headwater", "shop", "one", ())


def test_a_release_names_the_commit_that_made_it() -> None:
    made = Release(
        id="r-1", run_key="i/shop/one", pipeline="shop", kind="audited", status="published",
        created_at=datetime(2026, 11, 21, tzinfo=UTC), bundle_version="c0ffee<b>",
    )  # fmt: skip
    assert "by commit <code>c0ffee&lt;b&gt;</code>" in releases("/headwater", "shop", "one", (made,))
    assert "commit" not in releases("/headwater", "shop", "one", (made.model_copy(update={"bundle_version": None}),))


def test_pages_of_a_run_lead_to_each_other_to_the_overview_and_to_airflow() -> None:
    """Whoever came by a task's button knows no address of Headwater."""
    made, wrong = releases("/af/headwater", "shop", "a/b", ()), incidents("/af/headwater", "shop", "a/b", ())
    for text, other in ((made, "incidents"), (wrong, "release")):
        assert 'href="/af/headwater/"' in text
        assert f'href="/af/headwater/runs/shop/a%2Fb/{other}"' in text
        assert 'href="/af/dags/shop/runs/a%2Fb"' in text


def test_alternatives_of_an_incident_share_a_number_and_say_that_one_is_enough() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    steps = [{"text": "Look."}, {"text": "Mend.", "choice": "A"}, {"text": "Accept.", "choice": "B"}, {"text": "Run."}]
    item = Incident.model_validate(
        {
            "id": 1,
            "kind": "held",
            "cause": "contract_broken",
            "pipeline": "shop",
            "table": None,
            "title": "t",
            "error_line": "e",
        }
        | {"likely_cause": "c", "steps": steps, "first_seen": at, "last_seen": at, "owner": {"team": "sales"}}
    )
    text = incident("/headwater", item)
    assert [label for label in ("1", "2 A", "2 B", "3") if f"<b>{label}</b>" in text] == ["1", "2 A", "2 B", "3"]
    assert "follow one of them" in text
    assert "seen once" in text
