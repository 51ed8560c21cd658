"""Three ways to be refused by a database give three causes, and none of them shows the password."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.sources.sources_under_test import Source, connection_of, sql_table

from headwater.domain.errors import (
    CredentialsError,
    HeadwaterError,
    NotPermittedError,
    SchemaDriftError,
    SourceDataError,
    SourceTableMissingError,
    SourceUnreachableError,
    SpecError,
)
from headwater.domain.extract_errors import RowsHiddenError

SECRET = "s3cr3t-Zq"


def texts_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"password": SecretStr(SECRET)}, CredentialsError),
        ({"login": "nobody", "password": SecretStr(SECRET)}, CredentialsError),
        ({"port": 1, "password": SecretStr(SECRET)}, SourceUnreachableError),
        ({"schema_": "no_such_db"}, SourceUnreachableError),
        ({"extra": {"passfile": "/x"}}, SpecError),
    ],
    ids=["password", "login", "port", "database", "extra"],
)
def test_connection_that_does_not_work_is_explained(source: Source, changes: dict[str, object], expected: type) -> None:
    source.info = connection_of(source.url, **changes)
    with pytest.raises(HeadwaterError) as caught:
        source.inspect(sql_table())
    assert type(caught.value) is expected
    assert caught.value.facts["connection"] == "flights_db"
    assert SECRET not in texts_of(caught.value)


def test_missing_relation_names_near_misses(source: Source) -> None:
    source.sql("create table fligths (id int)", "create table other (id int)")
    with pytest.raises(SourceTableMissingError) as caught:
        source.inspect(sql_table())
    facts = caught.value.facts
    assert (facts["table"], facts["relation"], facts["connection"]) == ("flights", "public.flights", "flights_db")
    assert facts["near"] == "public.fligths"


@pytest.mark.parametrize(("role", "changes"), [("key", {"key": ("ids",)}), ("cursor", {"cursor": "updated"})])
def test_vanished_key_or_cursor_names_near_misses(source: Source, role: str, changes: dict[str, Any]) -> None:
    source.sql("create table flights (id int, updated_at timestamptz)")
    table = sql_table(**({"mode": "incremental", "cursor": "updated_at"} | changes))
    with pytest.raises(SchemaDriftError, match=f"{role} column") as caught:
        source.plan(table)
    assert caught.value.facts["near"] in {"id", "updated_at"}


def test_relation_that_may_not_be_read_names_what_to_grant_to_whom(source: Source) -> None:
    source.sql("create table flights (id int)", "insert into flights values (1)")
    source.sql(f"drop role if exists reader; create role reader login password '{SECRET}'")
    source.info = connection_of(source.url, login="reader", password=SecretStr(SECRET))
    with pytest.raises(NotPermittedError) as caught:
        source.run(sql_table(key=()))
    facts = {name: caught.value.facts[name] for name in ("relation", "login")}
    assert facts == {"relation": "public.flights", "login": "reader"}
    assert SECRET not in texts_of(caught.value)


def _with_hidden_rows(source: Source) -> None:
    source.sql("create table flights (id int, updated_at timestamptz default now())")
    source.sql("insert into flights select n from generate_series(1, 100) as n")
    tenant = f"tenant_{source.info.schema_}"
    source.sql(f"drop role if exists {tenant}", f"create role {tenant} login password '{SECRET}'")
    source.sql(f"grant select on flights to {tenant}")
    source.sql("alter table flights enable row level security")
    source.sql(f"create policy own on flights to {tenant} using (id <= 10)")
    source.info = connection_of(source.url, login=tenant, password=SecretStr(SECRET))


@pytest.mark.parametrize("extract", [{"mode": "snapshot"}, {"mode": "incremental", "cursor": "updated_at"}])
def test_rows_that_a_policy_hides_are_not_lost_in_silence(source: Source, extract: dict[str, Any]) -> None:
    """A snapshot of the rows a policy shows would say that all others were deleted."""
    _with_hidden_rows(source)
    with pytest.raises(RowsHiddenError, match="only some rows of public") as caught:
        source.run(sql_table(**extract))
    assert "BYPASSRLS" in str(caught.value)
    source.info = source.info.model_copy(update={"extra": {"row_security": "on"}})
    assert source.run(sql_table(**extract))[1].rows == 10
    source.sql(f"alter role {source.info.login} bypassrls")
    source.info = source.info.model_copy(update={"extra": {}})
    assert source.run(sql_table("all_of_them", relation="flights", **extract))[1].rows == 100


def test_row_security_is_on_or_off(source: Source) -> None:
    source.info = source.info.model_copy(update={"extra": {"row_security": "maybe"}})
    with pytest.raises(SpecError, match="neither on nor off"):
        source.run(sql_table())


def test_a_materialized_view_without_data_is_not_asked_again_and_again(source: Source) -> None:
    source.sql("create materialized view flights as select 1 as id with no data")
    with pytest.raises(SourceDataError, match="cannot be read yet") as caught:
        source.run(sql_table())
    assert "REFRESH MATERIALIZED VIEW" in str(caught.value)
    assert not caught.value.retry_helps


def test_relation_of_another_schema_views_and_partitions_are_read(source: Source) -> None:
    source.sql("create schema ops", "create table ops.f (id int) partition by range (id)")
    source.sql("create table ops.f1 partition of ops.f for values from (0) to (10)", "insert into ops.f values (1)")
    source.sql("create view ops.v as select * from ops.f")
    for relation in ("ops.f", "ops.f1", "ops.v"):
        _, extracted = source.run(sql_table(relation.replace(".", "_"), key=(), relation=relation))
        assert extracted.rows == 1


def test_offered_relations_have_keys_and_cursor_candidates(source: Source) -> None:
    from headwater.adapters.sources.opening import open_extractor

    source.sql("create table flights (b int, a int, created_at timestamp, updated timestamptz, primary key (a, b))")
    source.sql("create table events (id bigserial primary key)")
    extractor = open_extractor(sql_table(), source.info)
    offered = {item.relation: item for item in extractor.list_relations()}
    extractor.close()
    assert offered["public.flights"].primary_key == ("a", "b")
    assert offered["public.flights"].cursor_candidates == ("updated", "created_at")
    assert offered["public.events"].cursor_candidates == ("id",)
