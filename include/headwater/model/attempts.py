"""Reading one file of a repository, whatever becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import NAME_RULE, is_name
from headwater.domain.spec import PipelineSpec
from headwater.model.documents import Profile
from headwater.model.layout import Layout
from headwater.model.resolution import Resolution
from headwater.model.resolve import resolve_product, resolve_source
from headwater.model.yaml_text import read_yaml


@dataclass
class Attempt:
    """A file that was attempted. ``resolution`` is None when the file could not even be parsed."""

    file: Path
    resolution: Resolution | None = None
    errors: list[SpecError] = field(default_factory=list)

    @property
    def spec(self) -> PipelineSpec | None:
        """The spec, unless anything is wrong with the file."""
        return None if self.errors or self.resolution is None else self.resolution.spec


def attempt(layout: Layout, file: Path, profile: Profile, *, deep: bool) -> Attempt:
    """Read one file with its neighbours; deeply, its contracts and SQL too."""
    display = layout.display(file)
    if not is_name(file.stem):
        remedy = "rename the file: its stem is the name of the DAG"
        error = SpecError("the file name is no name", Location(display), repr(file.stem), NAME_RULE, remedy)
        return Attempt(file, errors=[error])
    try:
        document = read_yaml(file, display)
        resolve = resolve_product if layout.is_product(file) else resolve_source
        result = resolve(layout, file.stem, document, profile)
        if deep and result.spec is not None:
            from headwater.model.deep import deepen

            deepen(layout, result)
    except SpecError as error:
        return Attempt(file, errors=[error])
    return Attempt(file, result, result.errors)
