"""Finding what broke off a read: the reader of DuckDB does not pass on what the server said."""

from __future__ import annotations

from headwater.adapters.sources.drifting import fitting
from headwater.adapters.sources.mysql import relations
from headwater.adapters.sources.mysql.options import Options
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.mysql.work import Read
from headwater.adapters.sources.refusing import facts_of
from headwater.domain.errors import SourceUnreachableError


def diagnosed(session: Session, work: Read, reason: str, seconds: float) -> SourceUnreachableError:
    """The failure, after what else it could have been was looked for over a new session.

    :raises SchemaDriftError: when the relation's columns are others by now.
    :raises pymysql.MySQLError: what the server says when it is asked to compute the same rows for itself.
    """
    facts = {**work.facts, **facts_of(work.connection)}
    limit = Options.of(work.connection).statement_timeout_seconds
    if seconds >= limit:
        return SourceUnreachableError(
            f"reading {work.facts['relation']} took longer than the statement time-out",
            got=f"{seconds:,.0f} s",
            allowed=f"{limit:,} s",
            remedy="Raise `statement_timeout` in the extra of the connection, or read less at once.",
            facts=facts,
        )
    columns = relations.columns_of(session, work.table, work.connection)
    found = [column.column() for column in columns]
    fitting(found, work.table, work.schema, work.facts["relation"], work.facts)
    session.all(relations.probe(work.relation))
    # a count alone would not need the values
    computed = ", ".join(f"SUM(LENGTH({name}))" for name in work.arrivals.values())
    session.all(f"SELECT {computed} FROM ({work.select()}) AS arrived")  # noqa: S608 - made of quoted names and literals
    return SourceUnreachableError(
        f"reading {work.facts['relation']} was interrupted",
        got=_said(reason),
        remedy="The run reads the same window again when it is retried.",
        facts=facts,
    )


def _said(reason: str) -> str:
    """What there is of a reason, without the statement that is quoted in it."""
    start, _, rest = reason.partition('"')
    end = rest.rpartition('"')[2].strip(": \n")
    return f"{start.strip()} {end}".strip()[:300]
