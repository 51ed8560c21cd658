"""What a warehouse's metadata files say, and which of a table's is the one its catalog pointed at.

A commit writes its file first and moves the catalog's pointer then, so a folder also holds files of commits that lost
or died: some of them have the highest number of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from headwater.domain.backup_errors import BackupError
from headwater.domain.names import REPLACED, PhysicalName, TableName
from headwater.domain.release import Release

Identifier = tuple[str, str]
_NUMBERED = re.compile(r"(\d+)-[0-9a-fA-F-]+(?:\.gz)?\.metadata\.json(?:\.gz)?$")


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """One state of a table. ``says``: all of it that readers and writers go by, for telling equal states."""

    location: str
    version: int
    uuid: str
    main: int | None
    branches: frozenset[str]
    published: bool
    sequence: int
    updated_ms: int
    says: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the newest published release says of a table."""

    release: str
    snapshot_id: int
    location: str


def version_of(location: str) -> int | None:
    """The number in a metadata file's name; None for any other file."""
    found = _NUMBERED.search(location.rsplit("/", 1)[-1])
    return None if found is None else int(found[1])


def records_of(releases: Iterable[Release]) -> dict[str, Record]:
    """Dotted table -> its record.

    :param releases: newest first; only published ones count, and of each only what it moved.
    """
    found: dict[str, Record] = {}
    for release in releases:
        for item in release.tables if release.status == "published" else ():
            if item.moved:
                found.setdefault(item.table.dotted, Record(release.id, item.snapshot_id, item.metadata_location))
    return found


def newest(table: str, files: Sequence[MetadataFile], record: Record | None = None) -> MetadataFile:
    """The state to register: of those that show what was released, else of all, the one with the highest number.

    :param table: how people call it, for words.
    :raises BackupError: when nothing shows what was released, or two files of the highest number say different things.
    """
    fitting = [item for item in files if record is None or _shows(item, record)]
    if not fitting:
        raise BackupError(
            f"{table}: no metadata file shows the released snapshot.",
            got=", ".join(item.location for item in files[:3]),
            allowed=None if record is None else f"snapshot {record.snapshot_id} of release {record.release}",
            remedy=f"Bring the warehouse's files of {table} back, then run it again.", facts={"table": table},
        )  # fmt: skip
    top = max(item.version for item in fitting)
    last = [item for item in fitting if item.version == top]
    if len({item.says for item in last}) > 1:
        choices = " or ".join(f"--choose {item.location}" for item in last)
        raise BackupError(
            f"{table}: {len(last)} metadata files have the highest number and say different things; "
            "one is of a commit that was lost.",
            got=", ".join(f"{item.location} (main {item.main}, branches {len(item.branches)})" for item in last),
            remedy=f"Look at what they say, and say which is right: {choices}", facts={"table": table},
        )  # fmt: skip
    return max(last, key=lambda item: (item.sequence, item.updated_ms))


def _shows(item: MetadataFile, record: Record) -> bool:
    """Whether the state has the released snapshot as ``main`` and is not older than the release."""
    return item.main == record.snapshot_id and item.version >= (version_of(record.location) or 0)


def names_of(
    chosen: Mapping[Identifier, MetadataFile], homes: Mapping[str, str], wanted: frozenset[str] = frozenset()
) -> dict[Identifier, MetadataFile]:
    """Identifier -> the state to register under it.

    A physical table lives in the folder it was staged in, also after it was swapped in for the one its name stood
    for (rule 14). Which one the name stands for, the release says; without one, the only one that was published is it.

    :param chosen: (namespace, folder) -> its state.
    :param homes: dotted table -> metadata file that its newest release names.
    :param wanted: metadata files somebody chose.
    :raises BackupError: when several were published, and nothing says which of them the name stands for.
    """
    families: dict[TableName, dict[Identifier, MetadataFile]] = {}
    named: dict[Identifier, MetadataFile] = {}
    for place, state in chosen.items():
        table = table_of(place)
        if table is None:
            named[place] = state  # somebody else's table in our warehouse keeps its name
        else:
            families.setdefault(table, {})[place] = state
    for table, family in families.items():
        named |= _named(table, family, homes.get(table.dotted), wanted)
    return named


def _named(
    table: TableName, family: Mapping[Identifier, MetadataFile], home: str | None, wanted: frozenset[str]
) -> dict[Identifier, MetadataFile]:
    place = _home(table, family, home, wanted)
    named: dict[Identifier, MetadataFile] = {}
    for other, state in family.items():
        if other == place:
            named[table.identifier] = state
        elif other == table.identifier or state.published:
            was = PhysicalName.of(table, f"{REPLACED}{state.uuid.replace('-', '')}")
            named[was.identifier] = state
        else:
            named[other] = state
    return named


def _home(
    table: TableName, family: Mapping[Identifier, MetadataFile], home: str | None, wanted: frozenset[str]
) -> Identifier | None:
    """The folder of the physical table that the name stands for; None when none of them was ever published."""
    if home is not None:
        return next(place for place, state in family.items() if folder_of(state.location) == folder_of(home))
    published = [place for place, state in family.items() if state.published]
    picked = [place for place in family if family[place].location in wanted]
    candidates = picked or published or [place for place in family if place == table.identifier]
    if len(candidates) > 1:
        choices = " or ".join(f"--choose {family[place].location}" for place in candidates)
        raise BackupError(
            f"{table}: {len(candidates)} physical tables were published under this name, and no release says which "
            "of them it stands for.",
            got=", ".join(place[1] for place in candidates),
            remedy=f"Restore the run store first, or say which: {choices}", facts={"table": table.dotted},
        )  # fmt: skip
    return candidates[0] if candidates else None


def table_of(place: Identifier) -> TableName | None:
    """The table whose physical table lives in that folder."""
    namespace, folder = place
    try:
        return TableName.parse(f"{namespace}.{'__'.join(folder.split('__')[:2])}")
    except ValueError:
        return None


def folder_of(location: str) -> str:
    """The table's folder, however the place of its metadata file is written."""
    path = urlsplit(location).path if location.startswith("file:") else location
    return path.rsplit("/metadata/", 1)[0]
