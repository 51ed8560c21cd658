"""The owner of a source runs the statement as it stands, so it is of their own kind of database."""

from __future__ import annotations

import pytest
import sqlglot

from headwater.domain.lineage import SourcePlace
from headwater.services.incidents.granting import exemption_statement, grant_statement

ANY_HOST = "-- in the place of % the host of the login's account, as mysql.user has it"


@pytest.mark.parametrize(
    ("place", "relation", "login", "expected"),
    [
        (SourcePlace(platform="mysql", database="shop"), "orders", "app", "`shop`.`orders` TO `app`@`%`;"),
        (SourcePlace(platform="mariadb", database="shop"), "old.o`s", "app", "`old`.`o``s` TO `app`@`%`;"),
        (SourcePlace(platform="mssql", schema_name="dbo"), "dbo.o]s", "app", "[dbo].[o]]s] TO [app];"),
        (SourcePlace(platform="oracle", schema_name="app"), "APP.ORDERS", "reader", '"APP"."ORDERS" TO "READER";'),
        (SourcePlace(platform="oracle", schema_name="app"), "app.orders", "Reader", '"APP"."ORDERS" TO "Reader";'),
    ],
)
def test_the_right_is_granted_in_the_sources_own_sql(
    place: SourcePlace, relation: str, login: str, expected: str
) -> None:
    statement, _, comment = grant_statement(place, relation, login).partition("  ")
    assert statement == f"GRANT SELECT ON {expected}"
    assert comment == (ANY_HOST if place.platform in {"mysql", "mariadb"} else "")


@pytest.mark.parametrize("place", [None, SourcePlace(platform="postgres", schema_name="public")])
def test_postgresql_asks_for_the_schema_too(place: SourcePlace | None) -> None:
    """The first dot ends the schema, as an extract reads the name; what nobody knows is told as PostgreSQL."""
    statement = grant_statement(place, "reg.a.b", 'o"b')
    assert statement == 'GRANT USAGE ON SCHEMA "reg" TO "o""b";\nGRANT SELECT ON "reg"."a.b" TO "o""b";'
    assert len(sqlglot.parse(statement, read="postgres")) == 2


def test_a_login_is_exempted_from_row_security_by_its_name_as_it_is() -> None:
    assert exemption_statement(None, 'Bo"b') == 'ALTER ROLE "Bo""b" BYPASSRLS;'
