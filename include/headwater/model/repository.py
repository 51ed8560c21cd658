"""All sources and products of a repository, or everything that is wrong with their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import NAME_RULE, Layer, TableName, is_name
from headwater.domain.spec import PipelineSpec, ProductSpec, SourceSpec
from headwater.model.documents import Profile
from headwater.model.layout import YAML_SUFFIXES, Layout
from headwater.model.resolution import Resolution
from headwater.model.resolve import resolve_product, resolve_source
from headwater.model.yaml_text import read_yaml


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository holds. A file with errors is in ``errors`` and nowhere else; all files were attempted."""

    sources: tuple[SourceSpec, ...]
    products: tuple[ProductSpec, ...]
    errors: tuple[SpecError, ...] = ()
    warnings: tuple[SpecError, ...] = ()

    @property
    def pipelines(self) -> tuple[PipelineSpec, ...]:
        """Sources, then products."""
        return (*self.sources, *self.products)

    def pipeline(self, name: str) -> PipelineSpec | None:
        """The source or product of that name, or None."""
        return next((pipeline for pipeline in self.pipelines if pipeline.name == name), None)


def pipeline_files(root: Path) -> tuple[Path, ...]:
    """Every YAML file that becomes a DAG: sources, then products, by name."""
    layout = Layout(root)
    return (*layout.source_files(), *layout.product_files())


def load_repository(root: Path, profile: Profile | None = None) -> Repository:
    """Read everything deeply, with the rules that hold between files."""
    layout = Layout(root)
    files = pipeline_files(root)
    results = {file: _attempt(layout, file, profile or Profile(), deep=True) for file in files}
    specs = {file: result.spec for file, result in results.items() if isinstance(result, Resolution) and result.spec}
    crossing = list(_between_files(layout, files, results))
    wrong = {str(error.where.file) for error in crossing if error.where is not None}
    good = [spec for file, spec in specs.items() if layout.display(file) not in wrong]
    return Repository(
        sources=tuple(spec for spec in good if isinstance(spec, SourceSpec)),
        products=tuple(spec for spec in good if isinstance(spec, ProductSpec)),
        errors=(*(error for result in results.values() for error in _errors(result)), *crossing),
        warnings=tuple(w for result in results.values() if isinstance(result, Resolution) for w in result.warnings),
    )


def load_pipeline(root: Path, file: Path, *, deep: bool = True, profile: Profile | None = None) -> PipelineSpec:
    """Read one file.

    :param deep: also read contracts and analyse SQL, so that ``contracts`` and ``inputs`` are filled. Without it
        contracts are only looked for: what parsing a DAG can afford.
    :raises SpecError: the first finding; how many more there are is in its facts.
    """
    layout = Layout(root)
    twin = _twin(file)
    result = _attempt(layout, file, profile or Profile(), deep=deep)
    errors = _errors(result) if twin is None else [_twin_error(layout, file, twin)]
    if errors:
        errors[0].facts["more"] = str(len(errors) - 1)
        raise errors[0]
    if not isinstance(result, Resolution) or result.spec is None:
        raise SpecError("the file gave no spec", Location(layout.display(file)))
    return result.spec


def _attempt(layout: Layout, file: Path, profile: Profile, *, deep: bool) -> Resolution | SpecError:
    display = layout.display(file)
    if not is_name(file.stem):
        remedy = "rename the file: its stem is the name of the DAG"
        return SpecError("the file name is no name", Location(display), repr(file.stem), NAME_RULE, remedy)
    try:
        document = read_yaml(file, display)
        resolve = resolve_product if layout.is_product(file) else resolve_source
        result = resolve(layout, file.stem, document, profile)
        if deep and result.spec is not None:
            from headwater.model.deep import deepen

            deepen(layout, result)
    except SpecError as error:
        return error
    return result


def _errors(result: Resolution | SpecError) -> list[SpecError]:
    return [result] if isinstance(result, SpecError) else result.errors


def _twin(file: Path) -> Path | None:
    others = (file.with_suffix(suffix) for suffix in YAML_SUFFIXES if suffix != file.suffix)
    return next((other for other in others if other.exists()), None)


def _twin_error(layout: Layout, file: Path, twin: Path) -> SpecError:
    message = f"two files name the pipeline {file.stem!r}"
    return SpecError(message, Location(layout.display(file)), got=layout.display(twin), allowed="one file per name")


def _between_files(
    layout: Layout, files: tuple[Path, ...], results: dict[Path, Resolution | SpecError]
) -> Iterator[SpecError]:
    for file in files:
        twin = next((other for other in files if other != file and other.stem == file.stem), None)
        if twin is not None:
            yield _twin_error(layout, file, twin)
    found = [result for result in results.values() if isinstance(result, Resolution) and result.spec is not None]
    known = {table.dotted for result in found if result.spec is not None for table in tables_of(result.spec)}
    broken = {file.stem for file, result in results.items() if _errors(result)}
    for result in found:
        yield from _unknown_tables(result, known, broken)


def _unknown_tables(result: Resolution, known: set[str], broken: set[str]) -> Iterator[SpecError]:
    spec = result.spec
    if spec is None:
        return
    asked: list[tuple[tuple[str | int, ...], str]] = [
        (("schedule", "assets", index), asset) for index, asset in enumerate(spec.schedule.assets)
    ]
    asked += [(("gold", gold.name), table.dotted) for gold in spec.gold for table in gold.inputs]
    for path, dotted in asked:
        # a table of a file that is itself broken is reported there, once
        if dotted not in known and TableName.parse(dotted).source not in broken:
            allowed = ", ".join(sorted(known))
            yield SpecError(f"there is no table {dotted}", result.document.locate(path), got=dotted, allowed=allowed)


def tables_of(spec: PipelineSpec) -> tuple[TableName, ...]:
    """Every table a pipeline writes that others may read: bronze, silver, gold."""
    gold = tuple(spec.name_of(Layer.GOLD, gold.name) for gold in spec.gold)
    if isinstance(spec, ProductSpec):
        return gold
    layers = (Layer.BRONZE, Layer.SILVER)
    return (*(spec.name_of(layer, table.name) for layer in layers for table in spec.tables), *gold)
