"""Starts the Spark server while other parts start, and stops it with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headwater.domain.errors import HeadwaterError

if TYPE_CHECKING:
    from headwater.domain.settings import Settings


@contextmanager
def warm_spark(settings: Settings) -> Iterator[None]:
    """Keep the Spark Connect server up for as long as the block runs; the block does not wait for its start.

    :raises HeadwaterError: at the end of the block, when the server did not start.
    """
    from headwater.adapters.spark_connect.server import ConnectServer

    server = ConnectServer(settings)
    enough = threading.Event()
    failures: list[HeadwaterError] = []

    def hold() -> None:
        try:
            with server.used():
                enough.wait()
        except HeadwaterError as error:
            failures.append(error)

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    try:
        yield
    finally:
        enough.set()
        holder.join()
        server.stop()
    if failures:
        raise failures[0]
