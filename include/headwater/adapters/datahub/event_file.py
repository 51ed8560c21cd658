"""Events as files that ``datahub ingest`` reads with its file source."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from headwater.adapters.datahub.proposals import Event


def write_events(path: Path, events: Sequence[Event]) -> None:
    """Write the file whole or not at all; a reader never sees half of it."""
    write_documents(path, [to_document(event) for event in events])


def to_document(event: Event) -> dict[str, Any]:
    """The JSON form of an event; aspects are spelled out, patches keep their content type."""
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    if isinstance(event, MetadataChangeProposalWrapper):
        return event.to_obj(simplified_structure=True)
    return dict(event.to_obj())


def write_documents(path: Path, documents: Sequence[dict[str, Any]]) -> None:
    """The same for events already in their JSON form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(documents, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_events(path: Path) -> list[Event]:
    """The events of a file, deserialized and validated by DataHub's own classes.

    :raises ValueError: when the file is no list of valid events.
    """
    documents = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(documents, list):
        raise ValueError(f"{path} holds no list of events")  # noqa: TRY004 - a wrong file, not a wrong argument
    return [to_event(document) for document in documents]


def to_event(document: dict[str, Any]) -> Event:
    """Read ``to_document``'s form back.

    :raises ValueError: when DataHub's classes refuse it.
    """
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    event = MetadataChangeProposalWrapper.from_obj(document)
    if not event.validate():
        raise ValueError(f"DataHub's classes refuse {document.get('aspectName')} of {document.get('entityUrn')}")
    return event
