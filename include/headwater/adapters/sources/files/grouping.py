"""Which files of a landing folder look like those of one table, by where they lie and what they are called."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from headwater.adapters.sources.files.landing import ENDINGS, PACKINGS
from headwater.adapters.sources.files.ledger import LandedFile
from headwater.adapters.sources.files.patterns import has_magic

Format = Literal["csv", "jsonl", "json", "parquet"]
FORMATS: dict[str, Format] = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json", "parquet": "parquet",
}  # fmt: skip
MOST_STEMS = 20
"""Names that are told apart in one folder: where there are more, a name says nothing of the table."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_CHANGING = re.compile(r"[-_. ]*\d[\dTZ:+._ -]*[-_. ]*")
_OF_WRITERS = ("part", "data", "file", "export", "output", "chunk", "batch")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that look like those of one table.

    :param path: as the YAML would say it. :param partitions: columns whose values stand in the path.
    :param name: what the files, or their folder, are called.
    """

    path: str
    format: Format
    name: str
    partitions: tuple[str, ...]
    files: tuple[LandedFile, ...]

    @property
    def sample(self) -> LandedFile:
        """The newest file that is not empty."""
        return max(self.files, key=lambda file: (file.size > 0, file.modified_ns, file.path))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file lies, and how it is called, with what changes from file to file as ``*``."""

    folder: str
    partitions: tuple[str, ...]
    format: Format
    stem: str
    ending: str


def groups(files: Iterable[LandedFile]) -> tuple[Group, ...]:
    """Groups by folder, in order of path; files whose ending names no format are left out."""
    folders: dict[tuple[str, tuple[str, ...], Format], dict[str, list[tuple[_Place, LandedFile]]]] = defaultdict(dict)
    for file in files:
        place = _place(file.path)
        if place is not None:
            stems = folders[place.folder, place.partitions, place.format]
            stems.setdefault(place.stem, []).append((place, file))
    found = [group for stems in folders.values() for group in _of_folder(stems)]
    return tuple(sorted(found, key=lambda group: group.path))


def _place(path: str) -> _Place | None:
    *folders, name = PurePosixPath(path).parts
    parts = name.split(".")
    packed = parts.pop() if parts[-1].lower() in PACKINGS and len(parts) > 2 else ""
    kind = FORMATS.get(parts[-1].lower())
    if kind is None or len(parts) < 2 or any(has_magic(part) for part in (*folders, name)):
        return None
    partitions = tuple(part.partition("=")[0] for part in folders if "=" in part)
    plain = [_folder(part) for part in folders]
    ending = ".".join([parts[-1], *([packed] if packed else [])])
    return _Place("/".join(plain), partitions, kind, _changing(".".join(parts[:-1])), ending)


def _folder(name: str) -> str:
    """A folder's name, or what stands for all the days, months or values it is one of."""
    column, is_partition, _ = name.partition("=")
    if is_partition:
        return f"{column}=*"
    # a number within a name, as in ``sales_2``, tells tables apart
    return "*" if _changing(name) == "*" else name


def _changing(text: str) -> str:
    """The text with ``*`` for numbers, dates and identifiers."""
    text = _CHANGING.sub("*", _UUID.sub("0", text))
    return re.sub(r"\*+", "*", text)


def _of_folder(stems: dict[str, list[tuple[_Place, LandedFile]]]) -> Iterator[Group]:
    if len(stems) > MOST_STEMS:
        every = [item for items in stems.values() for item in items]
        yield _group(every, _named(every[0][0].folder), "*")
        return
    for stem, items in stems.items():
        alone = len(stems) == 1
        words = stem.replace("*", "")
        folder = _named(items[0][0].folder)
        name = folder if folder and (alone or not words or words.lower() in _OF_WRITERS) else words or "files"
        yield _group(items, name, "*" if alone and folder else stem)


def _group(items: Sequence[tuple[_Place, LandedFile]], name: str, stem: str) -> Group:
    place = items[0][0]
    endings = {item.ending for item, _ in items}
    ending = place.ending if len(endings) == 1 else f"{place.ending.partition('.')[0]}*"
    plain = "/".join(part for part in place.folder.split("/") if "=" not in part)
    usual = all(item.partition(".")[0] in ENDINGS[place.format] for item in endings)
    if stem == "*" and usual and plain and not has_magic(plain):
        path = plain
    else:
        path = "/".join(part for part in (place.folder, f"{stem}.{ending}") if part)
    return Group(path, place.format, name, place.partitions, tuple(file for _, file in items))


def _named(folder: str) -> str:
    """The last folder that has a name of its own."""
    names = [part for part in folder.split("/") if part and "=" not in part and not has_magic(part)]
    return names[-1] if names else ""
