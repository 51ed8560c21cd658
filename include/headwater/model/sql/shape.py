"""Whether the rows of a SELECT can be followed from changed input rows to output rows (rule 38), and its bare form.

Followed are joins, filters, groups and nested SELECTs of these. For every source a column of it is *steady*, or may
differ although no row was found to differ: because an outer join fills it with NULL (``nullable``), or because it is
an aggregate that was only given changed rows (``made``). Such columns must not decide which rows meet, nor be grain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headwater.model.sql.followed import NotFollowedError, has_aggregate, refuse_unfollowed, written_out

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass
class Shape:
    """What is known of a SELECT's columns; ``*`` among the sources means: every column of the source.

    :param nullable: alias -> columns an outer join may fill with NULL.
    :param made: alias -> columns made by an aggregate.
    """

    nullable: dict[str, set[str]] = field(default_factory=dict)
    made: dict[str, set[str]] = field(default_factory=dict)

    def is_nullable(self, node: exp.Expr) -> bool:
        return any(_among(column, self.nullable) for column in _columns(node))

    def is_made(self, node: exp.Expr) -> bool:
        return any(_among(column, self.made) for column in _columns(node))


def bare(query: exp.Query) -> exp.Query:
    """The query without what does not decide where a row belongs: ORDER BY, HAVING, and WHERE where it cannot be kept.

    CTEs are written out at each place that reads them. The tree given is not changed.

    :raises NotFollowedError: when the SQL is beyond what can be followed.
    """
    from sqlglot import exp

    if query.find(exp.Placeholder) is not None:
        raise NotFollowedError("it reads :planned_at, which differs in every run")
    tree = written_out(query.copy())
    _outputs(tree)
    return tree


def branches(query: exp.Query) -> Iterator[exp.Select]:
    """The SELECTs of a UNION, or the one SELECT. :raises NotFollowedError: for EXCEPT and INTERSECT."""
    from sqlglot import exp

    found = query.unnest() if isinstance(query, exp.Subquery) else query
    if isinstance(found, exp.Select):
        yield found
    elif isinstance(found, exp.Union):
        for side in (found.this, found.expression):
            yield from branches(side)
    else:
        raise NotFollowedError(f"it has {found.key.upper()}")


def shape_of(select: exp.Select) -> Shape:
    """Steady and other columns of a select that ``bare`` has let pass."""
    shape = Shape()
    from_ = select.args["from_"]
    _take(shape, from_.this, nullable=False)
    for join in select.args.get("joins") or ():
        _join(shape, join)
    return shape


def _outputs(query: exp.Query) -> tuple[set[str], set[str]]:
    """Names of output columns that may be NULL by an outer join, and of those that are made; bares what it visits."""
    if query.args.get("limit") or query.args.get("offset"):
        raise NotFollowedError("it has LIMIT")
    nullable: set[str] = set()
    made: set[str] = set()
    selects = list(branches(query))
    names = [item.alias_or_name.lower() for item in selects[0].selects]
    query.set("order", None)
    for select in selects:
        shape = _bared(select)
        for name, item in zip(names, select.selects, strict=False):
            if shape.is_nullable(item) or (item.is_star and any(shape.nullable.values())):
                nullable.add(name)
            if has_aggregate(item) or shape.is_made(item) or (item.is_star and any(shape.made.values())):
                made.add(name)
    return nullable, made


def _bared(select: exp.Select) -> Shape:
    refuse_unfollowed(select)
    shape = shape_of(select)
    joins = select.args.get("joins") or ()
    where = select.args.get("where")
    outer = any(join.side and join.kind not in {"SEMI", "ANTI"} for join in joins)
    if where is not None and (outer or shape.is_made(where) or shape.is_nullable(where)):
        select.set("where", None)
    for clause in ("having", "order", "sort", "cluster", "distribute"):
        select.set(clause, None)
    return shape


def _take(shape: Shape, source: exp.Expr, *, nullable: bool) -> Shape:
    """Add a source of FROM or JOIN. Returns what is known of it alone, before any outer join."""
    from sqlglot import exp

    alias = source.alias_or_name.lower()
    if isinstance(source, exp.Table) and not source.args.get("joins"):
        inner: tuple[set[str], set[str]] = (set(), set())
    elif isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query) and alias:
        inner = _outputs(source.this)
    else:
        raise NotFollowedError(f"it reads something else than a table or a SELECT: {source.sql('spark')[:60]}")
    if alias in shape.nullable:
        raise NotFollowedError(f"two of its sources are called {alias}")
    shape.nullable[alias] = {"*"} if nullable else inner[0]
    shape.made[alias] = inner[1]
    return Shape({alias: inner[0]}, {alias: inner[1]})


def _join(shape: Shape, join: exp.Join) -> None:
    side, kind, on = join.side.upper(), join.kind.upper(), join.args.get("on")
    using = join.args.get("using")
    if join.method or side == "FULL" or not (on or using):
        word = f"{join.method} {side} {kind}".split() or ["CROSS"]
        raise NotFollowedError(f"it has a {' '.join(word)} JOIN" if side == "FULL" else "a join has no condition")
    outer = side == "LEFT" and kind not in {"SEMI", "ANTI"}
    earlier, alias = set(shape.nullable), join.this.alias_or_name.lower()
    own = _take(shape, join.this, nullable=outer)
    meets = [on] if on is not None else list(using or ())
    for part in meets:
        if shape.is_made(part):
            raise NotFollowedError(f"a join's condition is an aggregate: {part.sql('spark')[:60]}")
        if (own if outer else shape).is_nullable(part):
            raise NotFollowedError(f"a join's condition may be NULL by an outer join: {part.sql('spark')[:60]}")
    if side == "RIGHT":
        shape.nullable.update({name: {"*"} for name in earlier})
    if kind in {"SEMI", "ANTI"}:
        del shape.nullable[alias], shape.made[alias]


def _columns(node: exp.Expr) -> Iterator[exp.Expr]:
    from sqlglot import exp

    # USING names its columns as identifiers
    return iter([node]) if isinstance(node, exp.Identifier) else node.find_all(exp.Column)


def _among(column: exp.Expr, known: dict[str, set[str]]) -> bool:
    from sqlglot import exp

    name = column.name.lower()
    table = column.table.lower() if isinstance(column, exp.Column) else ""
    if table in known:
        return bool({"*", name} & known[table])
    # written without its table, or a field of a struct: it may be any source's
    return any({"*", name, table} & names for names in known.values())
