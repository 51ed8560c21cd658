"""The server's configuration: secrets only in a private file, reachable from this machine only."""

from __future__ import annotations

import stat
from pathlib import Path

from headwater.adapters.spark_connect.server_config import render_properties, server_properties, write_private
from headwater.adapters.spark_properties import catalog_properties
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.storage import S3Settings, TlsSettings


def settings(password: str) -> Settings:
    catalog = CatalogSettings(
        uri="postgresql+psycopg://lake@h/lake",
        jdbc_uri="jdbc:postgresql://h/lake",
        jdbc_user="lake",
        jdbc_password=password,
        warehouse="file:///w",
    )
    return Settings(home="h", repository="r", run_store="x", catalog=catalog, spark=SparkSettings(jars="j"))


def test_it_listens_on_loopback_only_and_asks_for_the_token(tmp_path: Path) -> None:
    made = server_properties(settings("s3cret"), 15002, "token", tmp_path, [Path("a.jar"), Path("b.jar")])
    assert made["spark.connect.grpc.binding.address"] == "127.0.0.1"
    assert made["spark.connect.authenticate.token"] == "token"
    assert made["spark.sql.catalog.lake.jdbc.password"] == "s3cret"
    assert made["spark.driver.extraClassPath"] == "a.jar:b.jar"


def test_connections_of_sessions_that_ended_are_collected(tmp_path: Path) -> None:
    """Each holds one to the catalog's database until then, and a database has some hundred to give."""
    made = server_properties(settings("s3cret"), 15002, "token", tmp_path, [])
    assert made["spark.cleaner.periodicGC.interval"] == "30s"


def test_an_empty_password_is_left_out(tmp_path: Path) -> None:
    assert "spark.sql.catalog.lake.jdbc.password" not in server_properties(settings(""), 1, "t", tmp_path, [])


def test_s3_and_tls_are_named_to_spark(tmp_path: Path) -> None:
    """Rule 42: in the private file only, so what becomes the command line names no key."""
    plain = settings("s3cret")
    s3 = S3Settings(
        region="r", endpoint="https://s3:9000", access_key_id="AK", secret_access_key="h1dden", ca_file="/ca.pem"
    )
    tls = TlsSettings(sslmode="verify-full", sslrootcert="/root.pem")
    catalog = CatalogSettings.model_validate(
        plain.catalog.model_dump() | {"warehouse": "s3://b/lake", "s3": s3, "tls": tls}
    )
    made = server_properties(plain.model_copy(update={"catalog": catalog}), 1, "t", tmp_path, [])
    lake = {key.removeprefix("spark.sql.catalog.lake."): value for key, value in made.items()}
    assert (lake["jdbc.sslmode"], lake["jdbc.sslrootcert"]) == ("verify-full", "/root.pem")
    assert lake["io-impl"] == "org.apache.iceberg.aws.s3.S3FileIO"
    assert (lake["s3.endpoint"], lake["s3.path-style-access"]) == ("https://s3:9000", "true")
    assert (lake["s3.access-key-id"], lake["s3.secret-access-key"]) == ("AK", "h1dden")
    assert f"trustStore={tmp_path / 'trusted.p12'}" in made["spark.driver.extraJavaOptions"]
    assert "h1dden" not in made["spark.driver.extraJavaOptions"]


def test_without_a_key_the_machines_own_is_looked_for() -> None:
    catalog = settings("").catalog.model_dump() | {"warehouse": "s3://b/lake", "s3": {"region": "r"}}
    made = catalog_properties(CatalogSettings.model_validate(catalog))
    assert not [key for key in made if "access-key" in key or "endpoint" in key]
    assert made["spark.sql.catalog.lake.s3.path-style-access"] == "false"


def test_the_file_is_its_owners_alone_even_when_it_was_open_before(tmp_path: Path) -> None:
    path = tmp_path / "server.properties"
    path.touch(mode=0o644)
    write_private(path, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_backslash_in_a_password_survives_the_properties_format() -> None:
    assert render_properties({"p": "a\\b"}) == "p a\\\\b\n"
