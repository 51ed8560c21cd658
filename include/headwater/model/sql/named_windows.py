"""Windows that a SELECT defines beside its columns (``WINDOW w AS (…)``), written where they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlglot import exp

Tree = TypeVar("Tree", bound="exp.Expr")


def with_windows_written_out(tree: Tree) -> Tree:
    """A copy of the tree in which every ``OVER w`` says what ``w`` is; what follows columns sees nothing else."""
    from sqlglot import exp

    copied = tree.copy()
    for select in copied.find_all(exp.Select):
        known = {window.this.name.lower(): window for window in select.args.get("windows") or ()}
        for window in select.find_all(exp.Window) if known else ():
            named = known.get(window.alias.lower())
            if named is None or window is named or window.parent_select is not select:
                continue
            for part in ("partition_by", "order", "spec"):
                if named.args.get(part) and not window.args.get(part):
                    window.set(part, _copied(named.args[part]))
            window.set("alias", None)
        select.set("windows", None)
    return copied


def _copied(part: exp.Expr | list[exp.Expr]) -> exp.Expr | list[exp.Expr]:
    return [item.copy() for item in part] if isinstance(part, list) else part.copy()
