"""What ``new-source`` decides per table: its name, key, extract and silver mode."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from headwater.domain.names import is_name
from headwater.domain.spec import FilesExtract
from headwater.ports.extractor import SourceRelation

_CHANGES = ("updated", "modified", "changed", "last_update")
"""Words in the names of time stamps that move when a row changes; others (created, loaded) tell only when it came."""
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Draft:
    """One table of the new source.

    :param document: what the YAML says of it.
    :param key: columns that tell its rows apart; empty for events.
    :param required: columns that are never empty, which its contracts say, too.
    :param note: what a person has to decide; empty when there is nothing to say.
    """

    name: str
    relation: SourceRelation
    document: dict[str, Any]
    key: tuple[str, ...]
    required: tuple[str, ...]
    note: str = ""


def drafts(relations: Sequence[SourceRelation]) -> tuple[Draft, ...]:
    """A draft per relation; relations whose names become the same are numbered, whoever has the plain name first."""
    exact_first = sorted(relations, key=lambda item: _plain(item.relation) != item.relation.partition(".")[2])
    names: dict[str, str] = {}
    for relation in exact_first:
        names[_free(_plain(relation.relation), names)] = relation.relation
    named = {relation: name for name, relation in names.items()}
    return tuple(_draft(named[relation.relation], relation) for relation in relations)


def _draft(name: str, relation: SourceRelation) -> Draft:
    if relation.files is not None:
        return _of_files(name, relation, relation.files)
    place = {} if relation.relation == f"public.{name}" else {"relation": relation.relation}
    key = relation.unique_key or relation.primary_key
    stamps = [column for column in relation.cursor_candidates if (column,) != key]
    changes = next((column for column in stamps if any(word in column.lower() for word in _CHANGES)), None)
    note = ""
    if key and changes:
        place |= {"mode": "incremental", "cursor": changes, "lag": "1h"}
        document: dict[str, Any] = {"key": list(key), "extract": place, "silver": _upsert(changes)}
    elif key:
        document = {"key": list(key), "extract": place, "silver": _upsert()}
    elif stamps:
        place |= {"mode": "incremental", "cursor": stamps[0]}
        document = {"extract": place, "silver": {"mode": "append"}}
        note = f"no key was found: every row is an event, read once by {stamps[0]}"
    else:
        key = relation.schema_.names
        document = {"key": list(key), "extract": place, "silver": _upsert()}
        note = "no key was found: all columns are taken as one, and rows that leave one empty go to quarantine"
    document = {"description": relation.comment} | document
    document = {part: value for part, value in document.items() if value}
    return Draft(name, relation, document, tuple(key), relation.unique_key or relation.primary_key, note)


def _of_files(name: str, relation: SourceRelation, files: FilesExtract) -> Draft:
    """Every record is an event, unless its file tells which version of a key it is."""
    stamps = [column.name for column in relation.schema_.columns if column.type.startswith("timestamp")]
    changes = next((column for column in stamps if any(word in column.lower() for word in _CHANGES)), None)
    key, note = relation.unique_key if changes else (), relation.doubt
    if relation.unique_key and not key:
        note += f"; every record is an event: with a column that orders versions of {relation.unique_key[0]}, declare "
        note += "it as `key`, and `silver: {mode: upsert, sequence_by: …}`"
    extract = files.model_dump(mode="json", exclude_defaults=True)
    silver = _upsert(changes) if key else {"mode": "append"}
    document = {"description": relation.comment, "key": list(key), "extract": extract, "silver": silver}
    return Draft(name, relation, {part: value for part, value in document.items() if value}, key, key, note)


def _upsert(sequence_by: str | None = None) -> dict[str, Any]:
    return {"mode": "upsert"} | ({"sequence_by": sequence_by} if sequence_by else {})


def _plain(relation: str) -> str:
    """A table name from a relation: ``Order Details`` of any schema is ``order_details``."""
    plain = re.sub(r"[^a-z0-9]+", "_", relation.partition(".")[2].lower()).strip("_")
    return (plain if is_name(plain) else f"t_{plain}")[:_LONGEST_NAME].strip("_")


def _free(name: str, taken: Collection[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
