"""A task that waits for its job in a thread of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headwater.adapters.spark_applications.engine import ApplicationEngine
from headwater.domain.errors import EngineError
from headwater.domain.job import JobSpec


@contextmanager
def waiting_for(engine: ApplicationEngine, job: JobSpec) -> Iterator[list[EngineError]]:
    """A task that waits for the job meanwhile, and in the end has failed; the failure."""
    raised: list[EngineError] = []

    def wait() -> None:
        try:
            engine.run(job)
        except EngineError as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield raised
    finally:
        waiting.join(120)
