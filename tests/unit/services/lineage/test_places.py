"""A relation has the name that people of its own kind of database give it."""

from __future__ import annotations

import pytest

from headwater.adapters.connections import EnvironmentConnections
from headwater.domain.lineage import SourcePlace
from headwater.services.lineage.places import known_places, place_of, relation_at

URIS = {
    "AIRFLOW_CONN_PG": "postgres://app:secret@db:5432/shop",
    "AIRFLOW_CONN_MARIA": "mariadb://app:secret@db:3306/shop",
    "AIRFLOW_CONN_LITE": '{"conn_type": "sqlite", "host": "/data/shop.db"}',
    "AIRFLOW_CONN_MS": "mssql://app:secret@db:1433/shop",
    "AIRFLOW_CONN_ORA": "oracle://app:secret@db:1521/",
    "AIRFLOW_CONN_FOLDER": '{"conn_type": "fs", "extra": {"path": "/landing"}}',
    "AIRFLOW_CONN_BROKEN": "no connection",
}


@pytest.fixture
def places() -> dict[str, SourcePlace]:
    ids = frozenset({"pg", "maria", "lite", "ms", "ora", "folder", "broken", "absent"})
    return known_places(EnvironmentConnections(environment=URIS), ids)


@pytest.mark.parametrize(
    ("connection", "named", "told"),
    [
        ("pg", "orders", "public.orders"),
        ("pg", "sales.orders", "sales.orders"),
        ("maria", "orders", "shop.orders"),
        ("maria", "other.orders", "other.orders"),
        ("lite", "orders", "shop.db/orders"),
        ("lite", "main.orders", "shop.db/orders"),
        ("ms", "orders", "dbo.orders"),
        ("ora", "orders", "APP.ORDERS"),
        ("ora", "hr.Staff", "HR.Staff"),
    ],
)
def test_a_relation_is_named_as_at_its_source(
    places: dict[str, SourcePlace], connection: str, named: str, told: str
) -> None:
    assert relation_at(places[connection], named) == told


def test_a_connection_that_nobody_defined_here_leaves_the_name_of_the_yaml(places: dict[str, SourcePlace]) -> None:
    """The YAML says nothing of a kind: a schema would be a guess."""
    assert set(places) == {"pg", "maria", "lite", "ms", "ora"}
    assert relation_at(None, "orders") == "orders"
    assert place_of(EnvironmentConnections(environment=URIS).resolve("folder")) is None
