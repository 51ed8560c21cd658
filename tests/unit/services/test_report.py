"""The lines a stage leaves in its task's log."""

from __future__ import annotations

from headwater.services.report import TableOutcome


def test_a_time_that_nobody_took_is_not_told_as_none_at_all() -> None:
    """``publish`` moves all tables at once: 0.0 s beside 27,004 rows would be a wonder."""
    published = TableOutcome(table="silver.shop.orders", status="published", rows=27004)
    assert published.line().split() == ["silver.shop.orders", "published", "27,004", "rows"]
    refined = published.model_copy(update={"seconds": 1.25, "note": "+1 ~0 -0"})
    assert refined.line().endswith("27,004 rows    1.2 s  +1 ~0 -0")
