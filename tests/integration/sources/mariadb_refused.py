"""A failure that MariaDB is the cause of, looked at for secrets; and ways to bring one about."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.integration.sources.mariadb_under_test import MariaTable

from headwater.domain.errors import (
    HeadwaterError,
)

SECRET = "wr0ng-s3cr3t"
MANY = "insert into flights select seq, repeat('x', 200), 1 from seq_1_to_60000"


def refused(table: MariaTable, error: type[HeadwaterError], act: Callable[[], Any]) -> HeadwaterError:
    with pytest.raises(error) as caught:
        act()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value.facts)
    assert table.connection.password.get_secret_value() not in shown
    assert SECRET not in shown
    assert caught.value.facts["connection"] == "mariadb"
    return caught.value


def be_slow(table: MariaTable, rows: int, seconds_a_row: float) -> None:
    """Make it a view whose rows take their time."""
    table.sql(
        f"insert into flights select seq, 'x', 1 from seq_1_to_{rows}",
        "rename table flights to slow",
        f"create view flights as select id, note, fare + sleep({seconds_a_row}) as fare from slow",
    )


def _answers(client: socket.socket, upstream: socket.socket, left: int) -> None:
    with client, upstream:
        while left > 0 and (content := upstream.recv(65_536)):
            client.sendall(content)
            left -= len(content)
        client.shutdown(socket.SHUT_RDWR)


def _questions(client: socket.socket, upstream: socket.socket, _: int) -> None:
    try:
        while content := client.recv(65_536):
            upstream.sendall(content)
    except OSError:
        return


@contextmanager
def passing_on(port: int, limit_bytes: int) -> Iterator[int]:
    """A port that passes on to the server, and ends each connection after so many bytes of answers."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", port))
            for way in (_answers, _questions):
                threading.Thread(target=way, args=(client, upstream, limit_bytes), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
