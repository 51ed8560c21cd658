"""Table references of SQL files (``silver.flights.flights``) become views pinned to the plan's snapshots (rule 37)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from headwater.domain.errors import SpecError


def pin_tables(sql: str, views: Mapping[str, str]) -> str:
    """The text with every dotted table replaced by its view, every line kept in its place.

    :param views: dotted table -> view.
    :raises SpecError: when the SQL does not parse, or reads a table that is no declared input.
    """
    cuts: list[tuple[int, int, str]] = []
    for table in _parsed(sql).find_all(exp.Table):
        parts = table.parts
        dotted = ".".join(part.name for part in parts)
        if len(parts) == 1:
            continue  # a common table expression; Spark says so when it is none
        if dotted not in views:
            raise SpecError(
                f"the SQL reads {dotted}, which is not among its inputs",
                got=dotted,
                allowed=", ".join(sorted(views)),
                facts={"table": dotted, "line": str(parts[0].meta.get("line", ""))},
            )
        alias = "" if table.alias else f" AS `{parts[-1].name}`"
        cuts.append((parts[0].meta["start"], parts[-1].meta["end"] + 1, f"`{views[dotted]}`{alias}"))
    for start, end, text in sorted(cuts, reverse=True):
        sql = sql[:start] + text + sql[end:]
    return sql


def _parsed(sql: str) -> exp.Query:
    try:
        statements = sqlglot.parse(sql, read="spark")
    except sqlglot.errors.ParseError as error:
        where = error.errors[0] if error.errors else {}
        raise SpecError(
            "the SQL cannot be parsed",
            got=str(error)[:300],
            facts={"line": str(where.get("line", "")), "position": str(where.get("col", ""))},
        ) from error
    if len(statements) != 1 or statements[0] is None or not isinstance(statements[0], exp.Query):
        raise SpecError("an SQL file holds exactly one SELECT", got=f"{len(statements)} statements")
    return statements[0]


def line_of(sql: str, word: str) -> int | None:
    """First line (from 1) of the text that has the word; None when none has."""
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return next((number for number, line in enumerate(sql.splitlines(), 1) if pattern.search(line)), None)
