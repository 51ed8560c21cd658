"""Every failure Headwater can explain: what, where, got, allowed, what to do, and whether a retry helps.

The ``code`` of an error is the name of its cause. ``include/runbooks/<code>.md`` is the remedy an alert carries,
so a code is part of the public contract: rename one and its runbook goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from headwater.domain.storable_text import storable


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file a person edits. ``line`` counts from 1; ``key`` is dotted, as in ``tables.flights.key``."""

    file: str
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return place if self.key is None else f"{place}: {self.key}"

    @classmethod
    def of(cls, path: Path, line: int | None = None, key: str | None = None) -> Location:
        return cls(str(path), line, key)


@dataclass(slots=True)
class HeadwaterError(Exception):
    """An explained failure.

    :param message: one sentence in plain words, naming the real table, column, value and count.
    :param where: the file, line and key to edit, when a file is at fault.
    :param got: what was found, already bounded in length and free of secrets.
    :param allowed: what would have been accepted.
    :param remedy: what to do next, in one or a few sentences.
    :param facts: values the runbook's steps are filled with (``table``, ``column``, ``count`` …), never secrets.
    """

    message: str
    where: Location | None = None
    got: str | None = None
    allowed: str | None = None
    remedy: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    reported: bool = field(default=False, kw_only=True)
    """The incidents of this failure are open already; a callback must not open another."""

    code = "unknown"
    retry_helps = False

    def __post_init__(self) -> None:
        self.message, self.got = storable(self.message), None if self.got is None else storable(self.got)
        self.facts = {name: storable(value) for name, value in self.facts.items()}

    def __str__(self) -> str:
        return f"{self.described()}\n  a retry {'helps' if self.retry_helps else 'does not help'} [{self.code}]"

    @property
    def placed(self) -> str:
        """What failed, after file, line and key where a file is at fault."""
        return self.message if self.where is None else f"{self.where}: {self.message}"

    def described(self) -> str:
        """What, where, got, allowed and what to do; nothing of retries, for what no run would meet."""
        lines = [self.placed]
        lines += [f"  got: {self.got}"] if self.got is not None else []
        lines += [f"  allowed: {self.allowed}"] if self.allowed is not None else []
        lines += [f"  to do: {self.remedy}"] if self.remedy is not None else []
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # dataclass fields, not Exception.args: an error crosses from a worker process to its parent by pickle
        values = (self.message, self.where, self.got, self.allowed, self.remedy, self.facts)
        return (type(self), values)


class SpecError(HeadwaterError):
    """A YAML, SQL or contract file of the repository is wrong."""

    code = "spec_invalid"


class ChangeRefusedError(HeadwaterError):
    """The files changed what a table is: the table cannot follow, or nobody said that the loss is meant (rule 14)."""

    code = "change_refused"


class RequestError(HeadwaterError):
    """The parameters somebody started a run with cannot be followed."""

    code = "request_invalid"


class ConnectionMissingError(HeadwaterError):
    """A connection id of the YAML resolves to nothing."""

    code = "connection_missing"


class ConnectionMalformedError(ConnectionMissingError):
    """A connection id is defined, but by a text that is no connection. The remedy is the same: define it."""


class CredentialsError(HeadwaterError):
    """The other side was reached and refused who we are."""

    code = "credentials_refused"


class NotPermittedError(CredentialsError):
    """The other side knows who we are, and does not let us read a relation or folder."""

    code = "not_permitted"


class SourceUnreachableError(HeadwaterError):
    """The other side could not be reached, or dropped the connection."""

    code = "source_unreachable"
    retry_helps = True


class SourceTableMissingError(HeadwaterError):
    """The relation or landing folder of a table does not exist."""

    code = "source_table_missing"


class SchemaDriftError(HeadwaterError):
    """The source's columns no longer fit the table, and no declared policy says how to go on."""

    code = "schema_drift"


class SourceDataError(HeadwaterError):
    """Rows of the source cannot be taken as they are (null or doubled key, unusable cursor, unreadable file)."""

    code = "source_data"


class ContractBrokenError(HeadwaterError):
    """Staged data broke its contract; the gate is closed and the staging is held."""

    code = "contract_broken"


class GateError(HeadwaterError):
    """A gate could not be evaluated, so it stays closed."""

    code = "gate_unsure"


class PreflightError(HeadwaterError):
    """The unit tests of a source's transforms are red."""

    code = "preflight_red"


class TransformError(HeadwaterError):
    """A transform could not be run by Spark."""

    code = "transform_failed"


class EngineError(HeadwaterError):
    """The Spark engine did not answer, or died at work."""

    code = "engine_down"
    retry_helps = True


class StaleBaseError(HeadwaterError):
    """Another publish moved a table after this attempt was cut from it. Terminal for the attempt (rule 18)."""

    code = "stale_base"


class StagingError(HeadwaterError):
    """An attempt would stage the same file twice, or other files than it staged before (rules 11, 12)."""

    code = "staging_refused"


class LeaseHeldError(HeadwaterError):
    """Another run holds a table and did not finish within ``lease_wait``."""

    code = "lease_held"


class CatalogError(HeadwaterError):
    """The Iceberg catalog or its storage did not answer."""

    code = "catalog_down"
    retry_helps = True


class StackError(HeadwaterError):
    """A part of the embedded stack (Postgres, Airflow, a sink) did not start, or another one is in the way."""

    code = "stack_down"


class AirflowDownError(HeadwaterError):
    """Airflow's REST API did not answer, or refused the request."""

    code = "airflow_down"
    retry_helps = True


class RunStoreError(HeadwaterError):
    """The run store's database did not answer, or refused."""

    code = "run_store_down"
    retry_helps = True


class QueryRefusedError(HeadwaterError):
    """A person's query is no single SELECT over released tables, or its SQL is wrong."""

    code = "query_refused"


class NotFoundError(HeadwaterError):
    """A person asked for something that does not exist: a table, a release, an incident."""

    code = "not_found"


@dataclass(slots=True)
class DeliveryError(HeadwaterError):
    """A channel did not take an alert. ``retry_after_seconds`` is what the channel asked for, if it did."""

    retry_after_seconds: float | None = None

    code = "alert_undelivered"
    retry_helps = True


@dataclass(slots=True)
class RunNotGreenError(HeadwaterError):
    """close_run's own verdict: something in the run failed or was held; each has its own incident already."""

    code = "run_not_green"
