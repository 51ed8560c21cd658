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
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    with partial.open("w", encoding="utf-8") as file:
        json.dump([to_document(event) for event in events], file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def to_document(event: Event) -> dict[str, Any]:
    """The JSON form of an event; aspects are spelled out, patches keep their content type."""
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    if isinstance(event, MetadataChangeProposalWrapper):
        return event.to_obj(simplified_structure=True)
    return dict(event.to_obj())


def read_events(path: Path) -> list[Event]:
    """The events of a file, deserialized and validated by DataHub's own classes.

    :raises ValueError: when the file is no list of valid events.
    """
    return [to_event(document) for document in read_documents(path)]


def read_documents(path: Path) -> list[dict[str, Any]]:
    """The events of a file as they are written.

    :raises ValueError: when the file is no list of JSON objects.
    """
    documents = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise ValueError(f"{path} holds no list of events")
    return documents


def to_event(document: dict[str, Any]) -> Event:
    """Read ``to_document``'s form back.

    :raises ValueError: when DataHub's classes refuse it.
    """
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    event = MetadataChangeProposalWrapper.from_obj(document)
    if not event.validate():
        raise ValueError(f"DataHub's classes refuse {document.get('aspectName')} of {document.get('entityUrn')}")
    return event
