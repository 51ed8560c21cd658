"""Which processes a test's victim left at work."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


def lives(process: psutil.Process | int) -> bool:
    """Whether one, or that of an id, still does anything; a dead one nobody collected yet does not."""
    try:
        process = psutil.Process(process) if isinstance(process, int) else process
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def living(processes: Iterable[psutil.Process], seconds: float = 0) -> list[psutil.Process]:
    """Those that still live after up to so many seconds of waiting for all to end."""
    _, left = psutil.wait_procs(list(processes), timeout=seconds)
    return [process for process in left if lives(process)]
