"""Rules that hold between the files of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import SourceSpec
from headwater.model.attempts import Attempt
from headwater.model.circles import circles_between
from headwater.model.contracts.columns import absent_columns
from headwater.model.gold_modes import input_findings
from headwater.model.layout import Layout
from headwater.model.references import line_of_table, tables_of, unknown_table
from headwater.model.sql.columns import unknown_columns
from headwater.model.sql.known_columns import known_columns, made_columns
from headwater.model.table_layouts import column_findings


def check_between(layout: Layout, attempts: Sequence[Attempt]) -> None:
    """Add what is wrong between files to the errors of the file that has to change."""
    broken = {attempt.file.stem for attempt in attempts if attempt.spec is None}
    known = {table.dotted for attempt in attempts if attempt.spec is not None for table in tables_of(attempt.spec)}
    for attempt in attempts:
        # of files with one name, none can be trusted to be the one that is meant
        twin = next((o.file for o in attempts if o.file != attempt.file and o.file.stem == attempt.file.stem), None)
        if twin is not None:
            attempt.errors.append(twin_error(layout, attempt.file, twin))
        attempt.errors += list(_unknown_tables(layout, attempt, known, broken))
    _circles(attempts)
    columns = known_columns(attempt.spec for attempt in attempts if attempt.spec is not None)
    silver_modes = _silver_modes(attempts)
    for attempt in attempts:
        attempt.errors += list(_unknown_columns(layout, attempt, columns))
        attempt.errors += list(_contracts(layout, attempt))
        _gold_modes(attempt, silver_modes)
        _layouts(attempt, columns)


def _circles(attempts: Sequence[Attempt]) -> None:
    resolutions = {attempt.spec.name: attempt.resolution for attempt in attempts if attempt.spec is not None}
    specs = [attempt.spec for attempt in attempts if attempt.spec is not None]
    for name, finding in list(circles_between(specs)):
        resolution = resolutions[name]
        if resolution is not None:
            resolution.refuse([finding])


def _gold_modes(attempt: Attempt, silver_modes: dict[str, str]) -> None:
    if attempt.spec is None or attempt.resolution is None:
        return
    for gold in attempt.spec.gold:
        attempt.resolution.refuse(input_findings(gold, silver_modes), ("gold", gold.name))


def _layouts(attempt: Attempt, columns: dict[str, tuple[str, ...]]) -> None:
    """Of a table whose columns only the source knows, Spark judges the layout when it creates the table."""
    spec = attempt.spec
    if spec is None or attempt.resolution is None:
        return
    for gold in spec.gold:
        known = columns.get(spec.name_of(Layer.GOLD, gold.name).dotted)
        if known is not None:
            attempt.resolution.refuse(column_findings(gold, known), ("gold", gold.name))
    for table in spec.tables if isinstance(spec, SourceSpec) else ():
        found = columns.get(spec.name_of(Layer.SILVER, table.name).dotted)
        if found is not None:
            attempt.resolution.refuse(column_findings(table.silver, found), ("tables", table.name, "silver"))


def _silver_modes(attempts: Sequence[Attempt]) -> dict[str, str]:
    return {
        attempt.spec.name_of(Layer.SILVER, table.name).dotted: table.silver.mode
        for attempt in attempts
        if isinstance(attempt.spec, SourceSpec)
        for table in attempt.spec.tables
    }


def twin_error(layout: Layout, file: Path, twin: Path) -> SpecError:
    """Two files claim one name."""
    where, got = Location(layout.display(file)), layout.display(twin)
    return SpecError(f"two files name the pipeline {file.stem!r}", where, got=got, allowed="one file per name")


def _unknown_columns(layout: Layout, attempt: Attempt, columns: dict[str, tuple[str, ...]]) -> Iterator[SpecError]:
    spec = attempt.spec
    if spec is None:
        return
    for gold in (gold for gold in spec.gold if gold.transform is None):
        file = layout.display(layout.sql(spec.name_of(Layer.GOLD, gold.name)))
        yield from unknown_columns(gold.sql, file, columns)


def _contracts(layout: Layout, attempt: Attempt) -> Iterator[SpecError]:
    spec = attempt.spec
    if spec is None:
        return
    for dotted, columns in made_columns(spec).items():
        text = spec.contracts.get(dotted)
        if text is not None:
            yield from absent_columns(text, layout.display(layout.contract(TableName.parse(dotted))), columns)


def _unknown_tables(layout: Layout, attempt: Attempt, known: set[str], broken: set[str]) -> Iterator[SpecError]:
    spec, resolution = attempt.spec, attempt.resolution
    if spec is None or resolution is None:
        return
    assets = enumerate(spec.schedule.assets)
    asked = [(asset, resolution.document.locate(("schedule", "assets", index))) for index, asset in assets]
    for gold in spec.gold:
        file = layout.display(layout.sql(spec.name_of(Layer.GOLD, gold.name)))
        if gold.transform is None:
            asked += [(table.dotted, Location(file, line_of_table(gold.sql, table))) for table in gold.inputs]
        else:
            path = ("gold", gold.name, "transform", "inputs")
            listed = enumerate(gold.transform.inputs)
            asked += [(dotted, resolution.document.locate((*path, index))) for index, dotted in listed]
    for dotted, where in asked:
        # a table of a file that is itself broken is reported there, once
        if dotted not in known and TableName.parse(dotted).source not in broken:
            yield unknown_table(dotted, where, known)
