"""The three ways an aspect is written, each by how far people may edit it in DataHub."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, Union

if TYPE_CHECKING:
    from datahub.emitter.mcp import MetadataChangeProposalWrapper
    from datahub.metadata.schema_classes import MetadataChangeProposalClass, _Aspect

Event: TypeAlias = Union["MetadataChangeProposalWrapper", "MetadataChangeProposalClass"]

ONLY_WHERE_ABSENT = {"If-None-Match": "*"}
"""With change type CREATE, a server that has the aspect leaves it as it is and reports no error."""


def replace(urn: str, aspect: _Aspect) -> Event:
    """For aspects that only Headwater writes: events in time, and what people edit in an ``editable…`` twin."""
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    return MetadataChangeProposalWrapper(entityUrn=urn, aspect=aspect)


def write_once(urn: str, aspect: _Aspect) -> Event:
    """For aspects people take over whole (owners, domain): written only where none exists yet."""
    from datahub.emitter.mcp import MetadataChangeProposalWrapper

    return MetadataChangeProposalWrapper(
        entityUrn=urn, aspect=aspect, changeType="CREATE", headers=dict(ONLY_WHERE_ABSENT)
    )


def millis(instant: datetime) -> int:
    """DataHub's time: milliseconds since 1970."""
    return int(instant.timestamp() * 1000)
