"""Every extractor over the same small source; the behaviour suite asks each for the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.integration.sources.landed_under_test import CONTENTS, Landed, Uploaded, Versioned
from tests.integration.sources.mariadb_under_test import MariaInChunks, MariaTable
from tests.integration.sources.relations_under_test import InChunks, Relation, Table
from tests.integration.sources.subject import Subject


def _maria(request: pytest.FixtureRequest, folder: Path, **extract: str) -> Subject:
    return MariaTable(request.getfixturevalue("mariadb"), folder, **extract)


def _maria_in_chunks(request: pytest.FixtureRequest, folder: Path) -> Subject:
    return MariaInChunks(request.getfixturevalue("mariadb"), folder)


SUBJECTS: dict[str, Callable[[pytest.FixtureRequest, Path], Subject]] = {
    "incremental": lambda request, _: Relation(request.getfixturevalue("source"), mode="incremental", cursor="id"),
    "in-chunks": lambda request, _: InChunks(request.getfixturevalue("source")),
    "in-chunks-of-postgres-15": lambda request, _: InChunks(request.getfixturevalue("source_15")),
    "snapshot": lambda request, _: Relation(request.getfixturevalue("source"), mode="snapshot"),
    "sqlite-incremental": lambda _, folder: Table(folder, mode="incremental", cursor="id"),
    "sqlite-snapshot": lambda _, folder: Table(folder, mode="snapshot"),
    "mariadb-incremental": lambda request, folder: _maria(request, folder, mode="incremental", cursor="id"),
    "mariadb-snapshot": lambda request, folder: _maria(request, folder, mode="snapshot"),
    "mariadb-in-chunks": _maria_in_chunks,
    "s3": lambda request, folder: Uploaded(request.getfixturevalue("s3_server"), folder),
    "adls": lambda request, folder: Uploaded(request.getfixturevalue("azurite"), folder),
    "delta": lambda _, folder: Versioned(folder),
    **{ending: partial(lambda ending, _, folder: Landed(folder, ending), ending) for ending in CONTENTS},
}
