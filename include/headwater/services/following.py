"""Whether a gold table can follow its inputs from what it was last built from (rule 38)."""

from __future__ import annotations

from headwater.domain.errors import NotFoundError
from headwater.domain.increment import Follow, FollowedInput
from headwater.domain.names import Layer, TableName
from headwater.domain.run import InputRef
from headwater.domain.spec import GoldSpec
from headwater.domain.staging import TableState
from headwater.ports.platform import Platform


class CannotFollowError(Exception):
    """The table is to be made anew; the message says why, in words."""


def follow(platform: Platform, gold: GoldSpec, then: TableState | None, now: TableState) -> Follow:
    """The order to make only what changed.

    :param then: state of the published gold table. :param now: what it is to become.
    :raises CannotFollowError: when the table has to be made anew.
    """
    if then is None:
        raise CannotFollowError("it is made for the first time")
    if then.spec_hash != now.spec_hash:
        raise CannotFollowError("its SQL or its declaration changed")
    queries: dict[str, tuple[str, ...]] = {}
    if gold.mode == "merge":
        found = platform.model.group_queries(gold)
        if found.why_not:
            raise CannotFollowError(f"the SQL cannot be followed: {found.why_not}")
        queries = found.queries
    followed = {dotted: _followed(platform, dotted, then, read) for dotted, read in now.inputs.items()}
    return Follow(inputs=followed, queries=queries)


def _followed(platform: Platform, dotted: str, state: TableState, now: InputRef) -> FollowedInput:
    previous, table = state.inputs.get(dotted), TableName.parse(dotted)
    if previous is None:
        raise CannotFollowError(f"it was not built from {dotted} before")
    if previous.generation != now.generation:
        raise CannotFollowError(f"{dotted} was derived anew")
    if previous.snapshot_id != now.snapshot_id:
        _assert_follows(platform, table, previous)
    if table.layer is Layer.GOLD:
        return FollowedInput(previous=previous, changes="content")
    key = platform.model.changing_key(table)
    if key is None or not previous.batch or not now.batch:
        raise CannotFollowError(f"it is not known which rows of {dotted} changed")
    return FollowedInput(previous=previous, changes="batch", key=key)


def _assert_follows(platform: Platform, table: TableName, previous: InputRef) -> None:
    """Rules 22 and 38: what was read before must be there still, and be an ancestor of what is read now."""
    try:
        platform.catalog.summary(table, previous.snapshot_id)
    except NotFoundError:
        raise CannotFollowError(f"what it was built from of {table} is gone") from None
    if not platform.catalog.is_ancestor(table, previous.snapshot_id):
        raise CannotFollowError(f"{table} was rolled back")
