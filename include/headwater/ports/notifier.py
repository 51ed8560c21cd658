"""A channel that carries one incident to its people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headwater.domain.incident import Incident


class Notifier(Protocol):
    channel: str

    def send(self, incident: Incident) -> None:
        """Deliver within ten seconds or raise; the outbox tries again.

        :raises DeliveryError: with ``retry_after_seconds`` where the channel said when.
        """
        ...

    def send_digest(self, incidents: Sequence[Incident]) -> None:
        """Deliver many incidents of one owner as one message that lists every one of them.

        :raises DeliveryError: as ``send``; then none of them counts as delivered.
        """
        ...
