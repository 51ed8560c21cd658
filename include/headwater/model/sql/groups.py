"""From changed rows of an input to the groups of a gold table they belong to, as SQL (rule 38).

For each place the SQL reads a table at, that place is replaced by the table's changed rows and the grain of what joins
with them is asked for. Asked at the new inputs it names groups that gained rows, at the previous ones groups that lost
rows; together these are all groups whose content can differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headwater.domain.errors import SpecError
from headwater.domain.increment import GroupQueries, changed_table
from headwater.model.sql.followed import NotFollowedError, has_aggregate
from headwater.model.sql.one_select import parse_select
from headwater.model.sql.shape import bare, branches, shape_of

if TYPE_CHECKING:
    from sqlglot import exp


def group_queries(sql: str, grain: Sequence[str]) -> GroupQueries:
    """The queries of a gold SQL, or why it can only be made anew. Never raises for SQL that ``validate`` passed."""
    if not grain:
        return GroupQueries(why_not="no grain tells its rows apart")
    try:
        tree = bare(parse_select(sql, "sql"))
        heads = [_head(select, _positions(tree, grain), grain) for select in branches(tree)]
        found: dict[str, list[str]] = {}
        for head in heads:
            for index, dotted in enumerate(_places(head)):
                found.setdefault(dotted, []).append(_changed_at(head, index))
    except NotFollowedError as unfollowed:
        return GroupQueries(why_not=str(unfollowed))
    except SpecError as error:
        return GroupQueries(why_not=error.message)
    return GroupQueries(queries={dotted: tuple(queries) for dotted, queries in found.items()})


def why_not_append(sql: str) -> str:
    """Why new input rows alone do not give the new output rows; empty when they do."""
    from sqlglot import exp

    try:
        tree = parse_select(sql, "sql")
    except SpecError as error:
        return error.message
    if not isinstance(tree, exp.Select):
        return f"it has {tree.key.upper()}"
    refused = (exp.Join, exp.Window, exp.Subquery, exp.CTE, exp.Placeholder)
    found = tree.find(*refused)
    clauses = ("group", "having", "distinct", "limit", "offset", "qualify")
    clause = next((key for key in clauses if tree.args.get(key)), None)
    if found is None and clause is None and not any(has_aggregate(item) for item in tree.selects):
        return ""
    return f"it has {found.sql('spark')[:60]}" if found is not None else f"it has {clause or 'an aggregate'}"


def _positions(tree: exp.Query, grain: Sequence[str]) -> list[int]:
    names = [item.alias_or_name.lower() for item in tree.selects]
    missing = next((name for name in grain if name.lower() not in names), None)
    if missing is not None:
        raise NotFollowedError(f"it has no output column {missing}")
    return [names.index(name.lower()) for name in grain]


def _head(select: exp.Select, positions: Sequence[int], grain: Sequence[str]) -> exp.Select:
    """The select reduced to its distinct grain."""
    from sqlglot import exp

    shape, items = shape_of(select), select.selects
    names = {item.alias_or_name.lower() for item in items if isinstance(item, exp.Alias)}
    made = []
    for position, name in zip(positions, grain, strict=True):
        expression = items[position].unalias()
        if has_aggregate(expression) or shape.is_made(expression):
            raise NotFollowedError(f"its grain column {name} is an aggregate")
        if shape.is_nullable(expression):
            raise NotFollowedError(
                f"its grain column {name} may be NULL by an outer join; where it cannot, write it with its table"
            )
        for column in expression.find_all(exp.Column):
            other = column.name.lower() in names - {items[position].alias_or_name.lower()}
            if not column.table and other:
                raise NotFollowedError(f"its grain column {name} is made of another output column")
        made.append(exp.alias_(expression.copy(), name, quoted=True))
    head = select.copy()
    head.set("expressions", made)
    head.set("group", None)
    head.set("distinct", exp.Distinct())
    return head


def _places(head: exp.Select) -> list[str]:
    from sqlglot import exp

    return [".".join(part.name for part in table.parts) for table in head.find_all(exp.Table)]


def _changed_at(head: exp.Select, index: int) -> str:
    """The head with its ``index``-th table replaced by changed rows, which then always have to meet their partners."""
    from sqlglot import exp

    copied = head.copy()
    place = list(copied.find_all(exp.Table))[index]
    dotted = ".".join(part.name for part in place.parts)
    schema, _, name = changed_table(dotted).partition(".")
    alias = exp.TableAlias(this=exp.to_identifier(place.alias_or_name))
    changed = exp.Table(this=exp.to_identifier(name), db=exp.to_identifier(schema), alias=alias)
    place.replace(changed)
    _must_meet(changed)
    return copied.sql("spark", comments=False)


def _must_meet(node: exp.Expr) -> None:
    """On the way up: outer joins that could leave the changed rows out become inner, unions keep only their branch."""
    from sqlglot import exp

    here: exp.Expr | None = node
    while here is not None and here.parent is not None:
        parent = here.parent
        if isinstance(parent, exp.Join) and here.arg_key == "this":
            _met(parent)
        elif isinstance(parent, exp.From) and parent.parent is not None:
            _rights_met(parent.parent.args.get("joins") or ())
        elif isinstance(parent, exp.Union) and isinstance(here, exp.Query):
            here = _only_branch(parent, here)
            continue
        here = parent


def _met(join: exp.Join) -> None:
    from sqlglot import exp

    if join.kind.upper() == "ANTI":
        join.set("kind", "SEMI")
    elif join.kind.upper() != "SEMI" and join.side.upper() == "LEFT":
        join.set("side", None)
        join.set("kind", "INNER")
    select = join.parent
    if isinstance(select, exp.Select):
        joins = select.args["joins"]
        _rights_met(joins[joins.index(join) + 1 :])


def _rights_met(later: Sequence[exp.Join]) -> None:
    for join in later:
        if join.side.upper() == "RIGHT":
            join.set("side", None)
            join.set("kind", "INNER")


def _only_branch(union: exp.Union, branch: exp.Query) -> exp.Expr:
    """Put the branch in place of its union, its columns named as the union's."""
    from sqlglot import exp

    names = [item.alias_or_name for item in union.selects]
    changed = next(branches(branch.copy()))
    for item, name in zip(list(changed.selects), names, strict=True):
        if item.alias_or_name != name:
            item.replace(exp.alias_(item.unalias().copy(), name, quoted=True))
    union.replace(changed)
    return changed
