"""A cursor column in the source's own SQL: values, windows, and which cursors are unusable."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from headwater.adapters.sources.postgres.carrying import SourceColumn

TIME_TYPES = ("date", "timestamp", "timestamptz")
CURSOR_TYPES = (*TIME_TYPES, "int", "long")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A cursor column of a relation called ``t``."""

    column: SourceColumn

    @property
    def is_time(self) -> bool:
        return self.column.type in TIME_TYPES

    @property
    def name(self) -> sql.Identifier:
        return sql.Identifier("t", self.column.name)

    def typed(self, expression: sql.Composable) -> sql.Composed:
        """An expression cast to the cursor's type."""
        return sql.SQL("({})::{}").format(expression, sql.SQL(self.column.source_type))

    def value(self, text: str) -> sql.Composed:
        """A cursor value from its text."""
        return self.typed(sql.Literal(text))

    def inside(self, low: str | None, high: str | None) -> sql.Composed:
        """The condition of the window (low, high]; never true for NULL."""
        parts: list[sql.Composable] = [sql.SQL("{} IS NOT NULL").format(self.name)]
        parts += [sql.SQL("{} > {}").format(self.name, self.value(low))] if low is not None else []
        parts += [sql.SQL("{} <= {}").format(self.name, self.value(high))] if high is not None else []
        return sql.SQL(" AND ").join(parts)

    def is_null(self) -> sql.Composed:
        return sql.SQL("{} IS NULL").format(self.name)

    def is_future(self) -> sql.Composed:
        """True for a cursor more than a day ahead of the source's clock.

        Clocks and time zones of writers differ by less: such a cursor only waits for its time.
        """
        return sql.SQL("coalesce({}, false)").format(self.is_far_ahead())

    def is_far_ahead(self) -> sql.Composed:
        """``is_future``, but NULL for a NULL cursor: a form that an index can answer."""
        if not self.is_time:
            return sql.SQL("false").format()
        tomorrow = self.typed(sql.SQL("(now() AT TIME ZONE 'UTC') + interval '1 day'"))
        return sql.SQL("{} > {}").format(self.name, tomorrow)

    def zone(self, watermark: str, lag_seconds: int) -> sql.Composed:
        """The rows of (watermark - lag, watermark]: where late commits are looked for."""
        low = sql.SQL("{} - interval {}").format(self.value(watermark), sql.Literal(f"{lag_seconds} s"))
        return sql.SQL("{0} > {1} AND {0} <= {2}").format(self.name, self.typed(low), self.value(watermark))


def unusable_counts(cursor: Cursor, relation: tuple[str, str]) -> sql.Composed:
    """A query, of one pass, for the numbers ``n`` of NULL cursors and ``f`` of cursors in the future (rule 6)."""
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE {1}) AS n, count(*) FILTER (WHERE {2}) AS f FROM {0} AS t WHERE {1} OR {2}"
    ).format(sql.Identifier(*relation), cursor.is_null(), cursor.is_far_ahead())


def zone_digest(
    cursor: Cursor, relation: tuple[str, str], watermark: str, lag_seconds: int, unusable: tuple[int, int] | None = None
) -> sql.Composed:
    """A query for one text that changes when a row of the lag zone, or the number of unusable cursors, does.

    :param unusable: the numbers of ``unusable_counts``, where they are known already.
    Hashes of whole rows are summed, so that order means nothing. The session's time zone has to be UTC.
    """
    zone = cursor.zone(watermark, lag_seconds) if lag_seconds else sql.SQL("false")
    known = unusable_counts(cursor, relation)
    if unusable is not None:
        known = sql.SQL("SELECT {} AS n, {} AS f").format(*map(sql.Literal, unusable))
    parts = sql.SQL(
        "(SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {0} AS t WHERE {1}), "
        "(SELECT concat_ws(':', n, f) FROM ({2}) AS unusable)"
    ).format(sql.Identifier(*relation), zone, known)
    return sql.SQL("SELECT concat_ws(':', 'zone-v1', {}) AS digest").format(parts)
