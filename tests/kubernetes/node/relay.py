"""Lets pods reach a server that listens on loopback only, as every server of the tests does."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.kubernetes.node.network import NODE


@contextmanager
def relayed(port: int, at: int = 0) -> Iterator[str]:
    """``host:port`` that pods ask instead of a port of loopback.

    :param at: the port they ask; 0 means any free one.
    """

    class Join(socketserver.BaseRequestHandler):
        """One connection of a pod, to its end in both directions."""

        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=_hand_on, args=(server, self.request), daemon=True)
                back.start()
                _hand_on(self.request, server)
                back.join()

    with socketserver.ThreadingTCPServer((NODE, at), Join) as door:
        door.daemon_threads = True
        threading.Thread(target=door.serve_forever, daemon=True).start()
        try:
            yield f"{NODE}:{door.server_address[1]}"
        finally:
            door.shutdown()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    """Until one of them ends; then the other is told, so that its own thread ends too."""
    with suppress(OSError):
        while block := source.recv(65536):
            target.sendall(block)
    for side in (source, target):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
