"""Relations of a database as the YAML names them, and those it offers."""

from __future__ import annotations

from headwater.adapters.sources.naming import check_history_names, check_names, check_relied_on, relation_missing
from headwater.adapters.sources.offering import cursor_candidates, problem_of_names
from headwater.adapters.sources.queried.columns import QueriedColumn
from headwater.adapters.sources.queried.database import Database, Offered, Relation, Session
from headwater.domain.errors import SchemaDriftError
from headwater.domain.schema import TableSchema
from headwater.domain.spec import SqlExtract, TableSpec
from headwater.ports.extractor import SourceRelation


def relation_of(table: TableSpec, database: Database) -> Relation:
    """Schema and name of the relation a table is read from."""
    extract = table.extract
    relation = extract.relation if isinstance(extract, SqlExtract) and extract.relation else table.name
    schema, _, name = relation.partition(".")
    if not name:
        schema, name = database.default_schema, schema
    return database.folded(schema), database.folded(name)


def facts_of_table(table: TableSpec, database: Database) -> dict[str, str]:
    relation = ".".join(relation_of(table, database))
    return {"table": table.name, "relation": relation, "connection": database.connection.id}


def columns_of(session: Session, table: TableSpec, database: Database) -> tuple[QueriedColumn, ...]:
    """Columns of the table's relation, in order, with names and types checked.

    :raises SourceTableMissingError: when the relation does not exist, or nothing of it may be seen.
    :raises SchemaDriftError: for what cannot be carried, or when a column the YAML relies on is missing.
    """
    relation, facts = relation_of(table, database), facts_of_table(table, database)
    columns = database.columns(session, relation)
    if not columns:
        raise relation_missing(relation, database.names(session), "schema.name", facts)
    names = [column.name for column in columns]
    check_names(names, facts["relation"], facts)
    check_history_names(names, table, facts["relation"], facts)
    check_relied_on(table, names, facts)
    for column in columns:
        if column.problem:
            raise SchemaDriftError(
                f"column {column.name!r} of {facts['relation']} cannot be carried: {column.problem}",
                got=column.source_type,
                remedy="Read a view at the source that leaves the column out, or makes text or bytes of it.",
                facts={**facts, "column": column.name},
            )
    return columns


def list_relations(session: Session, database: Database) -> tuple[SourceRelation, ...]:
    """Every relation outside the system's schemas, with its key and likely cursors, best first."""
    return tuple(_offer(item) for item in database.offers(session))


def _offer(item: Offered) -> SourceRelation:
    relation = ".".join(item.relation)
    columns = tuple(column.column() for column in item.columns)
    required = {column.name for column in columns if column.required}
    unique = sorted((key for key in item.unique if required.issuperset(key)), key=len)
    versions = tuple(column.name for column in item.columns if column.counts)
    return SourceRelation(
        relation=relation,
        primary_key=item.primary,
        unique_key=item.primary or (unique[0] if unique else ()),
        cursor_candidates=tuple(dict.fromkeys(versions + cursor_candidates(columns, item.primary))),
        estimated_rows=item.estimated_rows,
        schema_=TableSchema(columns=columns, primary_key=item.primary),
        comment=" ".join(item.comment.split()) if item.comment else None,
        problem=_problem(item, relation),
    )


def _problem(item: Offered, relation: str) -> str | None:
    """Why no run could carry the relation as it is."""
    if not item.columns:
        return "the login may not read it"
    if "." in item.relation[0]:
        return "the name of its schema has a dot, which separates schema and relation in the YAML"
    broken = next((column for column in item.columns if column.problem), None)
    if broken is not None:
        return f"column {broken.name} cannot be carried: {broken.problem}. Read a view that leaves it out"
    return problem_of_names([column.name for column in item.columns], relation)
