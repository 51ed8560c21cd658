"""A wire before the catalog's database that can swallow an answer: what was asked happened, and nobody hears of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CatalogWire:
    """``lose_next_answer``: the next bytes the server sends are dropped, and the connection with them."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.lose_next_answer = False
        self.lost = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._serving.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target, source is server), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while content := source.recv(1 << 16):
                if answers and self.lose_next_answer:
                    self.lose_next_answer = False
                    self.lost += 1
                    break
                target.sendall(content)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def wired(port: int) -> Iterator[CatalogWire]:
    wire = CatalogWire(port)
    try:
        yield wire
    finally:
        wire.close()
