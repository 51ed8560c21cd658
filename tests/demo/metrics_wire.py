"""Where the demo of the tests sends its metrics: the names that arrived."""

from __future__ import annotations

import socket
import threading


class MetricsWire:
    """A free loopback port; what comes before ``listen`` waits there."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._names: set[str] = set()
        self._listener = threading.Thread(target=self._receive, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def names(self) -> frozenset[str]:
        """As they were sent, without labels."""
        return frozenset(self._names)

    def listen(self) -> None:
        """Once no process is forked any more."""
        self._listener.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", self._socket.getsockname())
        self._listener.join()
        self._socket.close()

    def _receive(self) -> None:
        while text := self._socket.recv(65535).decode():
            self._names |= {line.partition(":")[0].partition(",")[0] for line in text.splitlines()}
