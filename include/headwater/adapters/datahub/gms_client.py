"""One DataHub server, spoken to through DataHub's own emitter with bounded patience."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headwater.adapters.datahub.proposals import Event
from headwater.ports.connections import ConnectionInfo

_REFUSALS = frozenset({400, 413, 422})
"""The server understood and says the event itself is wrong; other failures are the server's or the way's."""
_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of some events.

    :param kind: ``refused``: sending the same again cannot help; ``unavailable``: it may.
    :param status: HTTP status, or None when no answer came.
    """

    kind: Literal["taken", "refused", "unavailable"]
    reason: str = ""
    status: int | None = None


def server_url(connection: ConnectionInfo) -> str:
    """``host`` of the connection, which may already be a URL, with its port."""
    host = connection.host if "://" in connection.host else f"http://{connection.host}"
    return host.rstrip("/") if connection.port is None else f"{host.rstrip('/')}:{connection.port}"


class GmsClient:
    """A connection of type ``datahub_rest``: the URL in ``host``, the access token in ``password``."""

    def __init__(
        self, connection: ConnectionInfo, connect_timeout_seconds: float = 3, read_timeout_seconds: float = 8
    ) -> None:
        from datahub.emitter.rest_emitter import DataHubRestEmitter, EmitMode

        self.url = server_url(connection)
        self._emitter = DataHubRestEmitter(
            gms_server=self.url,
            token=connection.password.get_secret_value() or None,
            connect_timeout_sec=connect_timeout_seconds,
            read_timeout_sec=read_timeout_seconds,
            # The spool is the retry: waiting here would hold up the run.
            retry_max_times=0,
            # Decided here, so that the first request is no question about the server's version.
            openapi_ingestion=False,
            default_emit_mode=EmitMode.SYNC_PRIMARY,
        )

    def send(self, events: Sequence[Event]) -> Answer:
        """Send in one request; several events are taken or refused together."""
        from datahub.configuration.common import OperationalError

        doubt = self._doubt()
        if doubt:
            return Answer("unavailable", _one_line(doubt))
        try:
            self._emitter.emit_mcps(events)
        except OperationalError as error:
            response = getattr(error.__cause__, "response", None)
            status = None if response is None else int(response.status_code)
            reason = _one_line(f"{error.message} {error.info.get('message') or ''}")
            return Answer("refused" if status in _REFUSALS else "unavailable", reason, status)
        return Answer("taken")

    def _doubt(self) -> str:
        """Why this may be no DataHub. A web server that answers 200 to everything would swallow every event."""
        from datahub.configuration.common import ConfigurationError

        try:
            self._emitter.fetch_server_config()
        except (ConfigurationError, OSError, ValueError) as error:  # requests' own errors are OSErrors
            return str(error)
        return ""

    def close(self) -> None:
        self._emitter.close()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_REASON_LENGTH]
