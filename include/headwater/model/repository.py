"""All sources and products of a repository, or everything that is wrong with their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headwater.domain.errors import SpecError
from headwater.domain.spec import PipelineSpec, ProductSpec, SourceSpec
from headwater.model.attempts import Attempt, attempt
from headwater.model.between_files import check_between, twin_error
from headwater.model.documents import Profile
from headwater.model.layout import Layout


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


def load_repository(root: Path, profile: Profile | None = None, *, practices: bool = False) -> Repository:
    """Read everything deeply, with the rules that hold between files.

    :param practices: also judge what is allowed and yet likely to be regretted; a pipeline with such findings loads.
    """
    from headwater.model.deep import fixture_errors
    from headwater.model.fixtures.stray_files import stray_folders
    from headwater.model.unread_files import unread_files

    layout = Layout(root)
    attempts = [attempt(layout, file, profile or Profile(), deep=True) for file in pipeline_files(root)]
    check_between(layout, attempts)
    for tried in attempts:
        if tried.spec is not None:
            tried.errors += list(fixture_errors(layout, tried.spec))
    strays = stray_folders(layout, {tried.file.stem for tried in attempts})
    bad, doubtful = _practices(layout, attempts) if practices else ((), ())
    specs = [tried.spec for tried in attempts]
    broken = {tried.file.stem for tried in attempts if tried.spec is None}
    unread = unread_files(layout, [spec for spec in specs if spec is not None], broken)
    return Repository(
        sources=tuple(spec for spec in specs if isinstance(spec, SourceSpec)),
        products=tuple(spec for spec in specs if isinstance(spec, ProductSpec)),
        errors=(*(error for tried in attempts for error in tried.errors), *strays, *unread, *bad),
        warnings=(
            *(error for tried in attempts if tried.resolution for error in tried.resolution.warnings),
            *doubtful,
        ),
    )


def _practices(layout: Layout, attempts: list[Attempt]) -> tuple[tuple[SpecError, ...], tuple[SpecError, ...]]:
    from headwater.model.practices import practice_findings

    return practice_findings(layout, attempts)


def load_pipeline(root: Path, file: Path, *, deep: bool = True, profile: Profile | None = None) -> PipelineSpec:
    """Read one file.

    :param deep: also read contracts and analyse SQL, so that ``contracts`` and ``inputs`` are filled. Without it
        contracts are only looked for: what parsing a DAG can afford.
    :raises SpecError: the first finding; how many more there are is in its facts as ``more``.
    """
    layout = Layout(root)
    tried = attempt(layout, file, profile or Profile(), deep=deep)
    twin = layout.twin(file)
    if twin is not None:
        tried.errors.insert(0, twin_error(layout, file, twin))
    if tried.spec is None:
        first = tried.errors[0]
        first.facts["more"] = str(len(tried.errors) - 1)
        raise first
    return tried.spec
