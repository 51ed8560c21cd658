"""What failed under a table is told by what has to be mended: its SQL, or the catalog that Spark asks."""

from __future__ import annotations

import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from headwater.domain.names import TableName
from headwater_spark.entrypoints.explain import EngineLostError, failed

TABLE = TableName.parse("silver.flights.planes")
SAID = "(org.apache.iceberg.jdbc.UncheckedSQLException) Failed to connect: jdbc:postgresql://127.0.0.1:5432/lake"


def test_a_catalog_that_gives_no_connection_is_no_fault_of_the_sql() -> None:
    result = failed(TABLE, SparkConnectGrpcException(SAID))
    assert (result.status, result.error_code) == ("failed", "catalog_down")
    assert result.error is not None
    assert "a retry helps" in result.error
    assert "UncheckedSQLException" in result.error


def test_what_spark_refuses_is_a_fault_of_the_transform() -> None:
    result = failed(TABLE, SparkConnectGrpcException("[CAST_INVALID_INPUT] of 'x' at line 3, position 7"))
    assert (result.error_code, result.facts["line"], result.facts["position"]) == ("transform_failed", "3", "7")


def test_an_engine_that_went_away_is_no_result_of_a_table() -> None:
    with pytest.raises(EngineLostError):
        failed(TABLE, SparkConnectGrpcException("StatusCode.UNAVAILABLE: failed to connect to all addresses"))
