"""Tags that keep from expiry what gold tables were built from, until their next build (rules 38, 41)."""

from __future__ import annotations

from contextlib import suppress

from headwater.domain.errors import NotFoundError, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec
from headwater.domain.staging import StagedTable
from headwater.ports.platform import Platform

CONSUMER_TAG = "used_by_"
"""Begins every such tag."""


def consumer_tag(gold: TableName) -> str:
    """The tag under which a gold table keeps the snapshots of its inputs that it was built from."""
    return f"{CONSUMER_TAG}{gold.layer.value}__{gold.source}__{gold.table}"


def tag_inputs(platform: Platform, spec: PipelineSpec, published: StagedTable) -> None:
    """Keep the inputs of a published gold table that follows them; one that is always made anew reads none again.

    An input that has expired meanwhile costs the next build its increment, nothing else.
    """
    for dotted, source in published.state.inputs.items():
        table = TableName.parse(dotted)
        if _follows(spec, published.table, table):
            with suppress(NotFoundError):
                platform.catalog.tag(table, consumer_tag(published.table), source.snapshot_id)


def drop_stale_tags(platform: Platform, spec: PipelineSpec, published: TableName) -> None:
    """Let go of what a published table kept for gold that left the YAML, reads it no more, or is always made anew.

    A consumer whose file is broken is taken to follow still.
    """
    head = platform.catalog.head(published)
    stale = [name for name in (head.tags if head else ()) if _is_stale(platform, spec, published, name)]
    if stale:
        platform.catalog.drop_tags(published, stale)


def _is_stale(platform: Platform, spec: PipelineSpec, table: TableName, tag: str) -> bool:
    gold = _consumer(tag)
    if gold is None:
        return False
    if gold.source == spec.name:
        return not _follows(spec, gold, table)
    try:
        return not _follows(platform.model.load(gold.source), gold, table)
    except NotFoundError:
        return True
    except SpecError:
        return False


def _consumer(tag: str) -> TableName | None:
    """The gold table of a tag; None when the tag is somebody else's."""
    if not tag.startswith(CONSUMER_TAG):
        return None
    try:
        return TableName.parse(tag.removeprefix(CONSUMER_TAG).replace("__", ".", 1))
    except ValueError:
        return None


def _follows(spec: PipelineSpec, gold: TableName, table: TableName) -> bool:
    """Whether the gold table, of this pipeline, is built by following what changed of the other."""
    if gold.layer is not Layer.GOLD:
        return False
    return any(item.name == gold.table and item.mode != "rebuild" and table in item.inputs for item in spec.gold)
