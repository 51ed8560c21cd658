"""What must hold for a declared comparison of a source."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.domain.reconciliation import comparable_tables
from headwater.domain.spec import SourceSpec
from headwater.model.schedules import Finding, schedule_findings


def reconcile_findings(spec: SourceSpec) -> Iterator[Finding]:
    """What is wrong with it; paths start at ``reconcile``."""
    if spec.reconcile is None:
        return
    yield from schedule_findings(spec.reconcile.schedule)
    if spec.reconcile.schedule.assets:
        message = "a comparison goes by the clock: right after a release it would only find what was just read"
        yield ("schedule", "assets"), message, ", ".join(spec.reconcile.schedule.assets), "every, cron or manual"
    known = comparable_tables(spec)
    allowed = ", ".join(known) or "no table of this source is one"
    for index, name in enumerate(spec.reconcile.tables):
        if name not in known:
            message = f"{name!r} is no relation with a key, or no table of this source"
            yield ("tables", index), message, repr(name), allowed
    if not known:
        yield (), "no table of this source can be compared", spec.name, "relations of a database with a key"
