"""Telling apart, at the source, the rows that can be carried and those that go to quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from headwater.adapters.sources.postgres.carrying import SourceColumn
from headwater.adapters.sources.postgres.cursors import Cursor
from headwater.domain.run import Window
from headwater.domain.spec import SqlExtract, TableSpec

FLAG = "unfit"


@dataclass(frozen=True, slots=True)
class RejectRule:
    """One way a row can be unfit.

    :param rule: ``<rule>:<column>``, as it stands in ``_hw_rules``.
    :param condition: true, false, never NULL.
    :param arrived: DuckDB's condition for the same of a row that arrived; None if only the source can tell.
    :param suspect: then, DuckDB's condition for rows of which it may be true.
    :param of_cursor: the row is in no window, because its cursor is unusable.
    """

    rule: str
    reason: str
    condition: sql.Composable
    arrived: str | None = None
    suspect: str | None = None
    of_cursor: bool = False


@dataclass(frozen=True, slots=True)
class Split:
    """A window over a relation, split into rows to carry and rows to reject."""

    window: sql.Composable
    rules: tuple[RejectRule, ...]

    @property
    def flag(self) -> sql.Composable | None:
        """What the source has to say of each row under the name ``FLAG``: whether a rule only it can tell is broken."""
        told = [rule.condition for rule in self.rules if rule.arrived is None and not rule.of_cursor]
        return _any(told) if told else None

    @property
    def unfit(self) -> str:
        """DuckDB's condition for an arrived row that breaks a rule it can tell."""
        return " OR ".join(rule.arrived for rule in self.rules if rule.arrived is not None) or "false"

    @property
    def suspect(self) -> str:
        """DuckDB's condition for an arrived row that may break one of the others."""
        return " OR ".join(rule.suspect for rule in self.rules if rule.suspect is not None) or "false"

    @property
    def unfit_values(self) -> sql.Composable:
        return sql.SQL("({}) AND ({})").format(
            self.window, _any([rule.condition for rule in self.rules if not rule.of_cursor])
        )

    @property
    def unfit_cursors(self) -> sql.Composable:
        # a cursor that came of age between plan and now is inside the window, and carried
        conditions = [rule.condition for rule in self.rules if rule.of_cursor]
        return sql.SQL("({}) AND NOT ({})").format(_any(conditions), self.window)

    @property
    def rejected(self) -> sql.Composable:
        return sql.SQL("(({}) OR ({}))").format(self.unfit_values, self.unfit_cursors)


def transport_names(columns: Sequence[SourceColumn]) -> dict[str, str]:
    """The names under which columns travel: no name of a source's is one for SQL of both sides."""
    return {column.name: f"c{place}" for place, column in enumerate(columns)}


def split(table: TableSpec, extract: SqlExtract, columns: Sequence[SourceColumn], window: Window) -> Split:
    """How this window's rows are told apart."""
    names = transport_names(columns)
    rules = [_key_rule(name, names[name]) for name in table.key]
    if extract.non_finite != "null":
        rules += [rule for column in columns if (rule := _value_rule(column, names[column.name])) is not None]
    if window.kind == "snapshot":
        return Split(sql.SQL("true"), tuple(rules))
    cursor = Cursor(next(column for column in columns if column.name == extract.cursor))
    inside = cursor.inside(window.low, window.high) if window.high is not None else sql.SQL("false")
    if window.advances_watermark or window.low is None:
        rules += _cursor_rules(cursor)
    return Split(inside, tuple(rules))


def carried_expression(column: SourceColumn, extract: SqlExtract) -> sql.Composable:
    """The value as it is read; NULL for what cannot be carried where the policy says so."""
    uncarriable = column.uncarriable()
    if extract.non_finite != "null" or uncarriable is None:
        return column.expression()
    value = sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(uncarriable, column.expression())
    # a CASE forgets precision and scale, and a numeric without them arrives as a double
    return sql.SQL("({})::{}").format(value, sql.SQL(column.source_type)) if column.type.startswith("dec") else value


def _key_rule(name: str, arrives_as: str) -> RejectRule:
    condition = sql.SQL("{} IS NULL").format(sql.Identifier("t", name))
    return RejectRule(f"null_key:{name}", f"key {name} is NULL", condition, f"{arrives_as} IS NULL")


def _value_rule(column: SourceColumn, arrives_as: str) -> RejectRule | None:
    condition = column.uncarriable()
    if condition is None:
        return None
    if column.type in ("date", "timestamp", "timestamptz"):
        rule, reason = "out_of_range", "is outside the years 1 to 9999"
    else:
        rule, reason = "non_finite", "is NaN or infinite"
    arrived, suspect = column.arrives_unfit(arrives_as), column.arrives_suspect(arrives_as)
    return RejectRule(f"{rule}:{column.name}", f"{column.name} {reason}", condition, arrived, suspect)


def _cursor_rules(cursor: Cursor) -> list[RejectRule]:
    name = cursor.column.name
    null = RejectRule(f"null_cursor:{name}", f"cursor {name} is NULL", cursor.is_null(), of_cursor=True)
    future = RejectRule(f"future_cursor:{name}", f"cursor {name} is in the future", cursor.is_future(), of_cursor=True)
    return [null, future] if cursor.is_time else [null]


def _any(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" OR ").join(conditions) if conditions else sql.SQL("false")
