"""Relations of a database as the YAML names them: their columns and keys."""

from __future__ import annotations

from headwater.adapters.sources.mysql.carrying import SourceColumn
from headwater.adapters.sources.mysql.mysql_sql import dotted, literal
from headwater.adapters.sources.mysql.session import Session
from headwater.adapters.sources.naming import check_history_names, check_names, check_relied_on, relation_missing
from headwater.domain.errors import SpecError
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.connections import ConnectionInfo

SYSTEM = "('mysql', 'sys', 'information_schema', 'performance_schema')"
_NAMES = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN "
_COLUMNS = "SELECT column_name, data_type, column_type, is_nullable, collation_name FROM information_schema.columns "
_KEY = "SELECT column_name FROM information_schema.statistics "


def relation_of(table: TableSpec, connection: ConnectionInfo) -> tuple[str, str]:
    """Database and name of the relation a table is read from; the connection's database where none is given.

    :raises SpecError: when neither says which database.
    """
    extract = table.extract
    relation = extract.relation if isinstance(extract, SqlExtract) and extract.relation else table.name
    database, _, name = relation.partition(".")
    if not name:
        database, name = connection.schema_, database
    if not database:
        raise SpecError(
            f"table {table.name!r} does not say which database its relation is in",
            got=relation,
            allowed="`relation: database.name`, or a connection with a database (`schema`)",
            facts={"table": table.name, "connection": connection.id},
        )
    return database, name


def facts_of_table(table: TableSpec, connection: ConnectionInfo) -> dict[str, str]:
    relation = ".".join(relation_of(table, connection))
    return {"table": table.name, "relation": relation, "connection": connection.id}


def columns_of(session: Session, table: TableSpec, connection: ConnectionInfo) -> tuple[SourceColumn, ...]:
    """Columns of the table's relation, in order, invisible and generated ones included, with names checked.

    :raises SourceTableMissingError: when the relation does not exist, or nothing of it may be seen.
    :raises SchemaDriftError: for names that cannot be carried, or when a column the YAML relies on is missing.
    """
    relation, facts = relation_of(table, connection), facts_of_table(table, connection)
    columns = source_columns(session, relation)
    if not columns:
        offered = [(str(schema), str(name)) for schema, name in session.all(_NAMES + SYSTEM)]
        raise relation_missing(relation, offered, "database.name", facts)
    names = [column.name for column in columns]
    check_names(names, facts["relation"], facts)
    check_history_names(names, table, facts["relation"], facts)
    check_relied_on(table, names, facts)
    return columns


def source_columns(session: Session, relation: tuple[str, str]) -> tuple[SourceColumn, ...]:
    """Columns of a relation as the source has them, in order; none when it cannot be seen."""
    rows = session.all(f"{_COLUMNS} {_is_of(relation)} ORDER BY ordinal_position")
    return tuple(
        SourceColumn(str(name), str(kind).lower(), str(full), nullable == "NO", collation)
        for name, kind, full, nullable, collation in rows
    )


def primary_key(session: Session, relation: tuple[str, str]) -> tuple[str, ...]:
    """Columns of a relation's primary key, in its order."""
    rows = session.all(f"{_KEY} {_is_of(relation)} AND index_name = 'PRIMARY' ORDER BY seq_in_index")
    return tuple(str(row[0]) for row in rows)


def engine_of(session: Session, relation: tuple[str, str]) -> tuple[str | None, bool]:
    """The storage engine of a relation, None of a view, and whether it has transactions."""
    query = (
        "SELECT engine, EXISTS (SELECT 1 FROM information_schema.engines AS e "  # noqa: S608 - made of literals
        f"WHERE e.engine = t.engine AND e.transactions = 'YES') FROM information_schema.tables AS t {_is_of(relation)}"
    )
    engine, transactions = session.first(query) or (None, False)
    return engine, bool(transactions)


def probe(relation: tuple[str, str]) -> str:
    """A query that fails exactly when the relation may not be read."""
    return f"SELECT 1 FROM {dotted(relation)} LIMIT 0"  # noqa: S608 - quoted names


def _is_of(relation: tuple[str, str]) -> str:
    # by bytes: names may differ in case alone, and the catalogue's collation would not mind
    database, name = (f"CAST({literal(part)} AS BINARY)" for part in relation)
    return (
        f"WHERE table_schema = {literal(relation[0])} AND table_name = {literal(relation[1])} "
        f"AND CAST(table_schema AS BINARY) = {database} AND CAST(table_name AS BINARY) = {name}"
    )
