"""What the installed distribution and the repository must agree on before a DAG is made."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

from packaging.specifiers import SpecifierSet

from headwater.domain.errors import Location, SpecError
from headwater.model.layout import PRODUCTS, SOURCES, YAML_SUFFIXES, Layout
from headwater_airflow.dag_factory.operations import WATCHDOG

OPERATIONS = frozenset({WATCHDOG})
"""DAGs Headwater brings itself; sources and products share one namespace with them (rule 3)."""
FOLDERS = (SOURCES, PRODUCTS)


@cache
def installed_version() -> str:
    """Version of the installed distribution."""
    return version("headwater")


def check_version(requires: str) -> None:
    """Refuse a repository written for another Headwater (rule 43).

    :raises SpecError: naming the installed version and the range.
    """
    if not SpecifierSet(requires).contains(installed_version(), prereleases=True):
        raise SpecError(
            "this repository is written for another version of Headwater",
            got=f"headwater {installed_version()}",
            allowed=requires,
            remedy="Deploy an image with a version in that range, or change the range in dags/*.py after testing.",
        )


def check_name(layout: Layout, file: Path) -> None:
    """Refuse a second file for one DAG id.

    :raises SpecError: naming the other file. Of a source and a product of one name, the product is refused.
    """
    if file.stem in OPERATIONS:
        raise _taken(layout, file, "one of Headwater's own DAGs")
    candidates = (layout.root / folder / f"{file.stem}{suffix}" for folder in FOLDERS for suffix in YAML_SUFFIXES)
    first = next((path for path in candidates if path.is_file()), file)
    if first != file:
        raise _taken(layout, file, layout.display(first))


def _taken(layout: Layout, file: Path, by: str) -> SpecError:
    return SpecError(
        "another DAG has this name",
        Location(layout.display(file)),
        got=f"{file.stem}, which is {by}",
        allowed="a name that no other source, product or operations DAG has",
        remedy="Rename this file with its SQL, contracts and fixtures.",
    )
