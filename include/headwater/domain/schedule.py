"""When DAGs run."""

from __future__ import annotations

from typing import Literal

from headwater.domain.base import Value
from headwater.domain.duration import Duration


class Schedule(Value):
    """When a DAG runs: exactly one of ``every``, ``cron``, ``assets`` or ``manual``."""

    every: Duration | None = None
    cron: str | None = None
    timezone: str = "UTC"
    assets: tuple[str, ...] = ()
    inputs: Literal["any", "all"] = "any"
    manual: bool = False


class Reconcile(Value):
    """When a source is compared with what readers see of it, by a DAG of its own.

    :param tables: the tables that are compared; default: every relation with a key.
    """

    schedule: Schedule
    tables: tuple[str, ...] = ()
