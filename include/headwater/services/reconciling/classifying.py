"""What a key that differs is a case of, by what source, bronze and silver say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headwater.domain.reconciliation import Difference, DifferenceKind
from headwater.ports.reconciling import Bounds, PrintedRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known of one key, of one look at all sides.

    :param source: rows of the key at the source: none, one, or several where it is no key.
    :param lake: its row in the compared table; ``bronze`` the row of bronze that silver is made of.
    :param quarantined: the key has rows in quarantine, and what the lake holds of it was read one day: the last version
        before the one that was set aside.
    """

    key: tuple[str, ...]
    source: Sequence[PrintedRow]
    lake: PrintedRow | None
    bronze: PrintedRow | None
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds for the whole table.

    :param batch: highest bronze batch that silver holds.
    :param whole: each extract reads the whole relation, so the next run sees whatever changed.
    :param keeps_deleted: the table keeps what is gone at the source: incremental, or appended only.
    :param by_time: the cursor is a time.
    """

    key: tuple[str, ...]
    bounds: Bounds
    batch: int
    whole: bool
    keeps_deleted: bool
    by_time: bool = True


def classify(found: Evidence, facts: Facts) -> Difference | None:
    """The difference, or None where the sides agree or the source has moved on since the release was read."""
    if len(found.source) > 1:
        why = f"the source has the key {len(found.source)} times: it does not identify a row"
        return _difference(found, facts, DifferenceKind.AMBIGUOUS, "person", why)
    theirs = found.source[0] if found.source else None
    if (theirs is not None and theirs.unread) or (theirs and theirs.content) == (found.lake and found.lake.content):
        return None
    known = _known(found, facts)
    if known is not None:
        return known
    if theirs is None:
        return _gone(found, facts)
    return _altered_in_lake(found, facts) or _changed(found, facts, theirs)


def _known(found: Evidence, facts: Facts) -> Difference | None:
    """Rows that are set aside or wait, where everybody can find them."""
    if found.bronze is not None and (found.bronze.batch or 0) > facts.batch:
        why = f"batch {found.bronze.batch} is in bronze, and silver is held or not yet refined"
        return _difference(found, facts, DifferenceKind.HELD, "person", why)
    if found.quarantined:
        return _difference(found, facts, DifferenceKind.QUARANTINED, "person", "rows of the key are in quarantine")
    return None


def _gone(found: Evidence, facts: Facts) -> Difference:
    if facts.keeps_deleted:
        why = "deleted at the source, which this table does not follow"
        return _difference(found, facts, DifferenceKind.DELETED, "person", why)
    if found.bronze is None:
        why = "the last full extract no longer had the row, silver still has it"
        return _difference(found, facts, DifferenceKind.CORRUPTION, "rebuild", why)
    return _difference(found, facts, DifferenceKind.LAG, "next_run", "deleted since the last full extract")


def _altered_in_lake(found: Evidence, facts: Facts) -> Difference | None:
    """Silver is not what bronze says, so the fault is on this side whatever the source says."""
    if found.bronze is None:
        return None
    if found.lake is None:
        return _difference(found, facts, DifferenceKind.LOSS, "rebuild", "bronze has the row, silver has not")
    if found.lake.content == found.bronze.content:
        return None
    return _difference(found, facts, DifferenceKind.CORRUPTION, "rebuild", "silver holds other values than bronze")


def _changed(found: Evidence, facts: Facts, theirs: PrintedRow) -> Difference:
    """The source says other than bronze, or bronze never had the row."""
    if facts.whole:
        return _difference(found, facts, DifferenceKind.LAG, "next_run", "changed since the last full extract")
    in_zone = theirs.cursor is not None and facts.bounds.zone is not None and theirs.cursor > facts.bounds.zone
    mended = "next_run" if in_zone else "read_again"
    ours = found.bronze or found.lake
    if ours is None:
        if in_zone:
            why = "committed late, within the lag: the next run brings it"
            return _difference(found, facts, DifferenceKind.LAG, mended, why)
        why = "below the window that runs read again, and in no table: committed later than the lag, or lost on the way"
        return _difference(found, facts, DifferenceKind.LOSS, mended, why)
    if theirs.cursor is not None and ours.cursor is not None and theirs.cursor > ours.cursor:
        why = "its newest version was committed late, " + (
            "within the lag: the next run brings it" if in_zone else "below the lag: no run reads it again by itself"
        )
        return _difference(found, facts, DifferenceKind.LAG, mended, why)
    why = "values changed at the source while the cursor did not move forward"
    return _difference(found, facts, DifferenceKind.SNAPSHOT_TRAP, mended, why)


def _difference(found: Evidence, facts: Facts, kind: DifferenceKind, mended_by: str, why: str) -> Difference:
    row = found.source[0] if found.source else found.lake
    return Difference.model_validate(
        {"key": dict(zip(facts.key, found.key, strict=True)), "kind": kind, "mended_by": mended_by, "why": why}
        | {"cursor": cursor_text(row.cursor if row else None, by_time=facts.by_time)}
    )


def cursor_text(cursor: int | None, *, by_time: bool) -> str | None:
    """A cursor as people read it: an ISO instant in UTC, or the number."""
    if cursor is None:
        return None
    return (_EPOCH + timedelta(microseconds=cursor)).isoformat() if by_time else str(cursor)
