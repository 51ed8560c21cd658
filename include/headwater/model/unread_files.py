"""SQL, contracts and pipelines that nothing would read: a misspelt name must not look like a file that is in force."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.layout import PRODUCTS, SOURCES, YAML_SUFFIXES, Layout

_SQL, _CONTRACTS = "sql", "include/contracts"
_SUFFIXES = {_SQL: frozenset({".sql"}), _CONTRACTS: frozenset(YAML_SUFFIXES)}


def unread_files(layout: Layout, specs: Collection[PipelineSpec], broken: Collection[str]) -> Iterator[SpecError]:
    """One error per file that lies where Headwater looks and belongs to no table or pipeline.

    :param broken: names of the pipelines whose files are wrong; which tables they mean is told once they are right.
    """
    used = {path for spec in specs for path in _paths(layout, spec)}
    for folder, suffixes in _SUFFIXES.items():
        for path in sorted((layout.root / folder).rglob("*")):
            below = path.relative_to(layout.root / folder).parts
            ours = path.suffix.lower() in suffixes and path.is_file() and path not in used
            if ours and not (len(below) == 3 and below[1] in broken):
                yield _unread(layout, path, used, "no table would use this file")
    for folder in (SOURCES, PRODUCTS):
        read = {*layout.source_files(), *layout.product_files()}
        for path in sorted((layout.root / folder).rglob("*")):
            if path.suffix.lower() in YAML_SUFFIXES and path.is_file() and path not in read:
                allowed = f"{folder}/<name>.yaml"
                where = Location(layout.display(path))
                yield SpecError("no DAG would come of this file", where, allowed=allowed, remedy="move or remove it")


def _paths(layout: Layout, spec: PipelineSpec) -> Iterator[Path]:
    tables = [table.name for table in spec.tables] if isinstance(spec, SourceSpec) else []
    shaped = [TableName(layer=layer, source=spec.name, table=name) for name in tables for layer in Layer]
    made = [spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold]
    for name in (*shaped, *made):
        if name.layer is not Layer.GOLD or name in made:
            yield layout.contract(name)
        if name.layer is Layer.SILVER or name in made:
            yield layout.sql(name)


def _unread(layout: Layout, path: Path, used: Collection[Path], message: str) -> SpecError:
    near = difflib.get_close_matches(layout.display(path), [layout.display(other) for other in used], n=1)
    remedy = f"did you mean {near[0]}? Else remove it" if near else "rename or remove it"
    return SpecError(message, Location(layout.display(path)), got=path.name, remedy=remedy)
