"""Files beside fixtures that no test would ever run: a misspelt name must not look like a green test."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.layout import FIXTURES, Layout
from headwater.model.yaml_text import read_yaml

_SUFFIXES = frozenset({".yml", ".yaml", ".csv"})


def stray_files(layout: Layout, spec: PipelineSpec) -> Iterator[SpecError]:
    """YAML files below the pipeline's fixtures that are no table's, and CSV files that none of them names."""
    folder = layout.root / FIXTURES / spec.name
    if not folder.is_dir():
        return
    tables = (table.name for table in spec.tables) if isinstance(spec, SourceSpec) else ()
    names = [spec.name_of(Layer.SILVER, name) for name in tables]
    names += [spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold]
    fixtures = {layout.fixtures(name) for name in names}
    used = {folder / csv for file in sorted(fixtures) if file.is_file() for csv in _csv_names(layout, file)}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file() and path not in fixtures | used:
            allowed = "a CSV file that a fixture names" if path.suffix == ".csv" else _listed(layout, fixtures)
            where = Location(layout.display(path))
            yield SpecError("no test would read this file", where, allowed=allowed, remedy="rename or remove it")


def stray_folders(layout: Layout, pipelines: Collection[str]) -> tuple[SpecError, ...]:
    """Folders of fixtures whose pipeline does not exist."""
    root = layout.root / FIXTURES
    found = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return tuple(
        SpecError(
            "there is no pipeline of this name",
            Location(layout.display(path)),
            got=path.name,
            allowed=", ".join(sorted(pipelines)),
            remedy="rename or remove the folder",
        )
        for path in found
        if path.name not in pipelines and any(file.suffix in _SUFFIXES for file in path.rglob("*"))
    )


def _csv_names(layout: Layout, file: Path) -> Iterator[str]:
    """What a fixture names; of one that cannot be read ``read_fixtures`` tells."""
    try:
        tests = read_yaml(file, layout.display(file)).value
    except SpecError:
        return
    for test in tests if isinstance(tests, list) else ():
        if isinstance(test, dict):
            given = test.get("given")
            values = [test.get("expect"), *(given.values() if isinstance(given, dict) else ())]
            yield from (value for value in values if isinstance(value, str))


def _listed(layout: Layout, fixtures: Collection[Path]) -> str:
    return ", ".join(sorted(layout.display(path) for path in fixtures))
