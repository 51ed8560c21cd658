"""What failed under a table is told by what has to be mended: its SQL, or the catalog that Spark asks."""

from __future__ import annotations

import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException

from headwater.domain.names import TableName
from headwater_spark.entrypoints.explain import EngineLostError, failed

TABLE = TableName.parse("silver.flights.planes")
CALL = "An error occurred while calling o586.sql.\n: "
"""How an error of Java begins that Spark does not name: in an application of its own, never by a Connect server."""
BELOW = "\n\tat a.b(C.java:1)\nCaused by: "
PLACE = "/lake/silver/flights__planes"
DENIED = f"java.io.IOException: Mkdirs failed to create file:{PLACE}/metadata (exists=false)"
LOST_TASK = "Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3"
SAID = "(org.apache.iceberg.jdbc.UncheckedSQLException) Failed to connect: jdbc:postgresql://127.0.0.1:5432/lake"


def test_a_catalog_that_gives_no_connection_is_no_fault_of_the_sql() -> None:
    result = failed(TABLE, SparkConnectGrpcException(SAID))
    assert (result.status, result.error_code) == ("failed", "catalog_down")
    assert "UncheckedSQLException" in str(result.got)


REFUSED_STORE = (
    "(software.amazon.awssdk.core.exception.SdkClientException) Unable to execute HTTP request: Connect to "
    "127.0.0.1:46295 [/127.0.0.1] failed: Connection refused (SDK Attempt Count: 9)\n\nJVM stacktrace:\n"
    "\tat org.apache.http.conn.ssl.SSLConnectionSocketFactory.connectSocket(SSLConnectionSocketFactory.java:368)\n"
    "Caused by: org.apache.http.conn.HttpHostConnectException: Connect to 127.0.0.1:46295 [/127.0.0.1] failed: "
    "Connection refused\nCaused by: java.net.ConnectException: Connection refused"
)
UNKNOWN_STORE = (
    "(software.amazon.awssdk.core.exception.SdkClientException) Received an UnknownHostException when attempting to "
    "interact with a service.\n\nJVM stacktrace:\nCaused by: software.amazon.awssdk.core.exception.SdkClientException: "
    "Unable to execute HTTP request: no-such-store.invalid: Name or service not known (SDK Attempt Count: 9)\n"
    "Caused by: java.net.UnknownHostException: no-such-store.invalid: Name or service not known"
)
THROTTLING_STORE = (
    "(software.amazon.awssdk.services.s3.model.S3Exception) Please slow down. (Service: S3, Status Code: 503)"
)
REFUSED_CATALOG = (
    "(org.apache.iceberg.jdbc.UncheckedSQLException) Failed to connect: jdbc:postgresql://127.0.0.1:46295/lake\n\n"
    "JVM stacktrace:\nCaused by: org.postgresql.util.PSQLException: Connection to 127.0.0.1:46295 refused. Check that "
    "the hostname and port are correct.\nCaused by: java.net.ConnectException: Connection refused"
)
GONE_SERVER = (
    "<_MultiThreadedRendezvous of RPC that terminated with: status = StatusCode.UNAVAILABLE details = failed to "
    "connect to all addresses; last error: ipv4:127.0.0.1:15002: Failed to connect: Connection refused (111)>"
)


@pytest.mark.parametrize(
    ("said", "cause", "address"),
    [
        (REFUSED_STORE, "warehouse_down", "127.0.0.1:46295"),
        (UNKNOWN_STORE, "warehouse_down", "no-such-store.invalid"),
        (THROTTLING_STORE, "warehouse_down", None),
        (f"{CALL}org.apache.spark.SparkException: {LOST_TASK}{BELOW}{REFUSED_STORE[1:].replace(') ', ': ', 1)}",
         "warehouse_down", "127.0.0.1:46295"),
        (REFUSED_CATALOG, "catalog_down", "127.0.0.1:46295"),
    ],
    ids=["refused store", "unknown store", "throttling store", "store of an executor", "refused catalog"],
)  # fmt: skip
def test_a_store_or_catalog_that_cannot_be_reached_is_no_fault_of_the_engine(
    said: str, cause: str, address: str | None
) -> None:
    """The words are those of a Connect server whose store, or catalog, does not listen."""
    result = failed(TABLE, SparkConnectGrpcException(said))
    assert (result.error_code, result.facts.get("address")) == (cause, address)
    assert "\n" not in str(result.got)


def test_a_catalog_that_refuses_sparks_login_is_told_as_that() -> None:
    said = f'{SAID}{BELOW}org.postgresql.util.PSQLException: FATAL: password authentication failed for user "lake"'
    result = failed(TABLE, SparkConnectGrpcException(said))
    assert (result.error_code, result.facts["part"]) == ("catalog_refused", "login")


def test_what_spark_refuses_is_a_fault_of_the_transform() -> None:
    result = failed(TABLE, SparkConnectGrpcException("[CAST_INVALID_INPUT] of 'x' at line 3, position 7"))
    assert (result.error_code, result.facts["line"], result.facts["position"]) == ("transform_failed", "3", "7")


def test_an_engine_that_went_away_is_no_result_of_a_table() -> None:
    with pytest.raises(EngineLostError):
        failed(TABLE, SparkConnectGrpcException(GONE_SERVER))


@pytest.mark.parametrize(
    "said",
    [
        f"{CALL}org.apache.iceberg.exceptions.RuntimeIOException: Failed to create file{BELOW}{DENIED}\n\tat c.d(E:2)",
        f"{CALL}org.apache.spark.SparkException: {LOST_TASK}: java.io.UncheckedIOException: Failed{BELOW}{DENIED}",
        f"(org.apache.iceberg.exceptions.RuntimeIOException) Failed to create file\n\nJVM stacktrace:{BELOW}{DENIED}",
        f"{LOST_TASK}: java.io.FileNotFoundException: {PLACE}/data/1.parquet (Permission denied)",
        f"{LOST_TASK}: java.nio.file.AccessDeniedException: {PLACE}/data/1.parquet",
        f"{LOST_TASK}: a.b.AccessControlException: Permission denied: user=spark, access=WRITE, inode={PLACE}",
    ],
)
def test_files_that_spark_may_not_write_are_no_fault_of_the_sql(said: str) -> None:
    result = failed(TABLE, Exception(said))
    assert result.error_code == "warehouse_refused"
    assert result.facts["part"] == "files"
    assert PLACE in result.facts["denied"]
    assert result.facts["denied"] in result.told
    assert "\tat " not in result.told


@pytest.mark.parametrize(
    "told_as", ["({0}) {1}", "An error occurred while calling o7.sql.\n: x\n\tat a.b\nCaused by: {0}: {1}"]
)
@pytest.mark.parametrize(
    ("error", "words", "part", "fix"),
    [
        ("S3Exception", "Access Denied (Service: S3, Status Code: 403, Request ID: 2T)", "key", "access_key_id"),
        ("S3Exception", "The request signature … (Service: S3, Status Code: 403, …)", "key", "access_key_id"),
        ("NoSuchBucketException", "… (Service: S3, Status Code: 404, …)", "bucket", "`catalog.warehouse`"),
    ],
)
def test_a_store_that_refuses_spark_is_no_fault_of_the_sql(
    told_as: str, error: str, words: str, part: str, fix: str
) -> None:
    """The words are those of an S3 server's answers to a Spark stage."""
    result = failed(TABLE, Exception(told_as.format(f"software.amazon.awssdk.services.s3.model.{error}", words)))
    assert (result.error_code, result.facts["part"]) == ("warehouse_refused", part)
    assert f"{error}: {words}" in result.facts["got"]
    assert fix in str(result.remedy)


def test_a_store_whose_certificate_nobody_trusts_is_no_fault_of_the_sql() -> None:
    said = (
        "(software.amazon.awssdk.core.exception.SdkClientException) Unable to execute HTTP request: PKIX path\n\n"
        f"JVM stacktrace:{BELOW}javax.net.ssl.SSLHandshakeException: (certificate_unknown) PKIX path building failed"
    )
    result = failed(TABLE, SparkConnectGrpcException(said))
    assert (result.error_code, result.facts["part"]) == ("warehouse_refused", "TLS")
    assert "PKIX path building failed" in result.facts["got"]


def test_an_object_that_is_gone_is_no_refusal() -> None:
    said = "(software.amazon.awssdk.services.s3.model.NoSuchKeyException) none (Service: S3, Status Code: 404)"
    assert failed(TABLE, SparkConnectGrpcException(said)).error_code == "transform_failed"


def test_a_disk_without_room_is_no_fault_of_the_sql() -> None:
    result = failed(TABLE, Exception(f"{CALL}java.io.IOException: No space left on device\n\tat a.b(C.java:1)"))
    assert result.error_code == "warehouse_down"
    assert "No space left on device" in str(result.got)


def test_an_error_of_java_that_spark_does_not_name_is_told_by_its_cause() -> None:
    said = (
        f"{CALL}org.apache.spark.SparkException: {LOST_TASK}\n\tat a.b(C.java:1)\nCaused by: a.b.OddError: odd value 7"
    )
    result = failed(TABLE, Exception(said))
    assert result.error_code == "transform_failed"
    assert result.error == f"Spark could not make {TABLE}: a.b.OddError: odd value 7"


def test_an_error_that_spark_names_is_told_by_its_first_line() -> None:
    result = failed(
        TABLE, SparkConnectGrpcException("[DIVIDE_BY_ZERO] Division by zero.\nCaused by: java.lang.Other: x")
    )
    assert result.error == f"Spark could not make {TABLE}: [DIVIDE_BY_ZERO] Division by zero."
    assert result.facts["got"] == "[DIVIDE_BY_ZERO] Division by zero."
