"""What the installed distribution and the repository must agree on before a DAG is made."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

from packaging.specifiers import SpecifierSet

from headwater.domain.errors import Location, SpecError
from headwater.model.layout import Layout
from headwater_airflow.dag_factory.operations import WATCHDOG

OPERATIONS = frozenset({WATCHDOG})
"""DAGs Headwater brings itself; sources and products share one namespace with them (rule 3)."""


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
    """Refuse the name of one of Headwater's own DAGs; two files of one name are refused when they are loaded.

    :raises SpecError: naming the file.
    """
    if file.stem in OPERATIONS:
        raise SpecError(
            "one of Headwater's own DAGs has this name",
            Location(layout.display(file)),
            got=file.stem,
            allowed=f"any name but {', '.join(sorted(OPERATIONS))}",
            remedy="Rename this file with its SQL, contracts and fixtures.",
        )
