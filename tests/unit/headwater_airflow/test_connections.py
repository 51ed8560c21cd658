"""Connections as Airflow reads them."""

from __future__ import annotations

import pytest
from airflow.models.connection import Connection
from airflow.sdk import BaseHook

from headwater.domain.errors import ConnectionMalformedError
from headwater_airflow.hooks.connections import AirflowConnections

JSON = '{"conn_type": "fs", "password": "h1dden", "extra": {"path": "/data"}}'


def test_json_where_airflow_takes_a_uri_is_told_and_shows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's file of connections takes any text for a URI, and makes a connection of no type of it."""
    made = Connection("shop", uri=JSON)
    monkeypatch.setattr(BaseHook, "get_connection", lambda _: made)
    with pytest.raises(ConnectionMalformedError) as caught:
        AirflowConnections().resolve("shop")
    assert "as a URI" in str(caught.value.remedy)
    assert "h1dden" not in str(caught.value)
