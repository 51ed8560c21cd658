"""The real clock, and the data clock of a demo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from headwater.domain.errors import Location, SpecError


class SystemClock:
    """``ports.clock.Clock``. The data clock is a file holding one ISO instant, read anew at each look."""

    def __init__(self, data_clock: Path | None = None) -> None:
        self._data_clock = data_clock

    def now(self) -> datetime:
        return datetime.now(UTC)

    def data_now(self) -> datetime:
        """See the port. :raises SpecError: when the file holds no instant with a time zone."""
        if self._data_clock is None:
            return self.now()
        text = self._data_clock.read_text().strip()
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise _unreadable(self._data_clock, text) from error
        if instant.tzinfo is None:
            raise _unreadable(self._data_clock, text)
        return instant.astimezone(UTC)


def _unreadable(path: Path, text: str) -> SpecError:
    allowed = "an ISO instant with its zone, such as 2013-02-01T00:00:00+00:00"
    return SpecError("the data clock cannot be read", Location.of(path), got=text[:80], allowed=allowed)
