"""``validate --against``: what the files of now do to each table, beside those of a commit or of the last releases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from headwater.cli.opening import opened_platform, repository
from headwater.cli.output import console, print_table
from headwater.domain.base import Value
from headwater.domain.change import Acknowledgement, Effect, SpecChange, written
from headwater.domain.spec import PipelineSpec, SourceSpec

if TYPE_CHECKING:
    from headwater.model.repository import Repository

STORED = "stored"


class Comparison(Value):
    """What changed in one pipeline.

    :param refused: texts of what a run would refuse, each with what to do.
    :param stale: acknowledgements that are about none of the changes.
    :param uncompared: why nothing can be said; empty when the pipeline was compared.
    :param read_by: changed table -> the tables made of it, each with the team to ask; of what more than evolves.
    """

    pipeline: str
    changes: tuple[SpecChange, ...] = ()
    refused: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    uncompared: str = ""
    read_by: dict[str, tuple[str, ...]] = Field(default_factory=dict)


def compare(found: Repository, against: str) -> tuple[Comparison, ...]:
    """Every pipeline, compared where its files load.

    :param against: ``stored``, for the specs that made what readers see; else a commit, branch or tag.
    :raises RequestError: when there is no such commit.
    """
    from headwater.model.repository import load_repository

    broken = tuple(_uncompared(name, "its files have errors") for name in _unloaded(repository(), found))
    if against == STORED:
        from headwater.services.changes import planned_changes

        with opened_platform() as platform:
            known = (_compared(found, spec, planned_changes(platform, spec)) for spec in found.pipelines)
            return (*known, *broken)
    from headwater.adapters.git_files import files_at
    from headwater.model.changes.comparing import spec_changes

    with files_at(repository(), against) as folder:
        before = load_repository(folder)
        unknown = _unloaded(folder, before)
    pairs = ((spec, before.pipeline(spec.name)) for spec in found.pipelines)
    compared = (
        _uncompared(spec.name, f"its files of {against} had errors")
        if spec.name in unknown
        else _compared(found, spec, spec_changes(old, spec) if old else ())
        for spec, old in pairs
    )
    return (*compared, *broken)


def _unloaded(root: Path, found: Repository) -> list[str]:
    from headwater.model.repository import pipeline_files

    return [file.stem for file in pipeline_files(root) if found.pipeline(file.stem) is None]


def _uncompared(pipeline: str, why: str) -> Comparison:
    return Comparison(pipeline=pipeline, uncompared=why)


def _compared(found: Repository, spec: PipelineSpec, changes: Sequence[SpecChange]) -> Comparison:
    from headwater.services.changes import change_remedy

    remedies = ((change, change_remedy(spec, change)) for change in changes)
    used = {(change.path, change.was) for change in changes if change.acknowledged}
    return Comparison(
        pipeline=spec.name,
        changes=tuple(changes),
        refused=tuple(f"{change.text}\n  to do: {remedy}" for change, remedy in remedies if remedy is not None),
        stale=tuple(
            f"{spec.file}: {place}: {{change: {item.change}, was: {written(item.was)}}}"
            for place, item in _acknowledged(spec)
            if (item.change, item.was) not in used
        ),
        read_by=_read_by(found, changes),
    )


def _read_by(found: Repository, changes: Sequence[SpecChange]) -> dict[str, tuple[str, ...]]:
    from headwater.model.impact import readers

    tables = dict.fromkeys(change.table for change in changes if change.effect in {Effect.REBUILD, Effect.REFUSE})
    reached = {table.dotted: readers(found.pipelines, table) for table in tables}
    return {table: tuple(f"{item.table} ({item.team})" for item in items) for table, items in reached.items() if items}


def _acknowledged(spec: PipelineSpec) -> Iterator[tuple[str, Acknowledgement]]:
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        yield from ((f"tables.{table.name}.acknowledge", item) for item in table.acknowledge)
    for gold in spec.gold:
        yield from ((f"gold.{gold.name}.acknowledge", item) for item in gold.acknowledge)


def print_comparisons(comparisons: Sequence[Comparison], against: str) -> None:
    """One line per change, then what a run would refuse."""
    rows = [
        (change.table.dotted, change.path, written(change.was), written(change.now), change.effect.value,
         change.why + (f"; lost: {change.destroys}" if change.destroys else ""))
        for item in comparisons
        for change in item.changes
    ]  # fmt: skip
    columns = ["table", "what", "was", "is", "effect", "why"]
    nothing = f"Nothing that concerns a table changed since {against}"
    left = [item for item in comparisons if item.uncompared]
    print_table(f"Since {against}", columns, rows, f"{nothing}{' in what was compared' if left else ''}.")
    for item in left:
        console().print(f"not compared: {item.pipeline}, as {item.uncompared}", markup=False, highlight=False)
    for item in comparisons:
        for table, names in item.read_by.items():
            console().print(f"{table} is read by {', '.join(names)}", markup=False, highlight=False, soft_wrap=True)
        for text in item.refused:
            console().print(f"refused {text}", markup=False, highlight=False, soft_wrap=True)
        for text in item.stale:
            said = f"warning {text}: acknowledges nothing that changed since {against}; remove it"
            console().print(said, markup=False, highlight=False, soft_wrap=True)
