"""Leases in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from headwater.domain.names import TableName
from headwater.ports.run_store import Lease


class MemoryLeases:
    """The lease part of the RunStore port."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._leases: dict[str, Lease] = {}
        self._tokens: dict[str, int] = {}
        self._losers: set[str] = set()

    def acquire(
        self, tables: Sequence[TableName], run_key: str, holder: str, ttl_seconds: float, takeover: bool = False
    ) -> tuple[Lease, ...]:
        names = sorted({table.dotted for table in tables})
        now = datetime.now(UTC)
        with self._lock:
            others = [lease for name in names if (lease := self._leases.get(name)) and lease.run_key != run_key]
            blocking = tuple(lease for lease in others if not (takeover and lease.expires_at <= now))
            if blocking:
                return blocking
            self._losers |= {lease.run_key for lease in others}
            self._losers.discard(run_key)
            return tuple(self._take(name, run_key, holder, now, ttl_seconds) for name in names)

    def _take(self, name: str, run_key: str, holder: str, now: datetime, ttl_seconds: float) -> Lease:
        before = self._leases.get(name)
        renewed = before is not None and before.run_key == run_key and before.expires_at > now
        self._tokens[name] = self._tokens.get(name, 0) + (0 if renewed else 1)
        self._leases[name] = Lease(
            table=name,
            run_key=run_key,
            token=self._tokens[name],
            holder=holder,
            heartbeat_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
        return self._leases[name]

    def heartbeat(self, run_key: str, ttl_seconds: float) -> bool:
        now = datetime.now(UTC)
        until = {"heartbeat_at": now, "expires_at": now + timedelta(seconds=ttl_seconds)}
        with self._lock:
            mine = [lease for lease in self._leases.values() if lease.run_key == run_key]
            for lease in mine:
                self._leases[lease.table] = lease.model_copy(update=until)
            return bool(mine) and run_key not in self._losers

    def release_leases(self, run_key: str) -> None:
        with self._lock:
            self._leases = {name: lease for name, lease in self._leases.items() if lease.run_key != run_key}
            self._losers.discard(run_key)

    def leases(self) -> tuple[Lease, ...]:
        with self._lock:
            return tuple(self._leases[name] for name in sorted(self._leases))
