"""How a gold table follows its inputs without being made anew (rule 38)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headwater.domain.base import Value
from headwater.domain.run import InputRef


class GroupQueries(Value):
    """What changed rows of inputs say about a gold table's groups, as far as its SQL tells.

    :param queries: dotted input -> one SELECT DISTINCT of the grain for each place the SQL reads it at; that place
        reads ``changed_table(input)`` instead, so the answer holds every group its changed rows belong to.
    :param why_not: why the SQL cannot be followed group by group, in words; then there are no queries.
    """

    queries: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    why_not: str = ""


class FollowedInput(Value):
    """One input of a gold table, then and now.

    :param changes: how its changed rows are found: by ``_hw_changed_batch`` and the key (silver), or by comparing
        both snapshots (gold, which carries no batch).
    :param key: the input's key in silver's names; empty for silver that only appends, where no row ever changes.
    """

    previous: InputRef
    changes: Literal["batch", "content"]
    key: tuple[str, ...] = ()


class Follow(Value):
    """The order to follow the inputs from what a gold table was last built from.

    :param queries: see ``GroupQueries``; empty for ``append``, which takes new rows only.
    """

    inputs: dict[str, FollowedInput]
    queries: dict[str, tuple[str, ...]] = Field(default_factory=dict)


def changed_table(dotted: str) -> str:
    """What an input's changed rows are called in SQL: ``changed.silver__flights__flights``."""
    return "changed." + dotted.replace(".", "__")
