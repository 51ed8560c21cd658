"""The server's configuration: secrets only in a private file, reachable from this machine only."""

from __future__ import annotations

import stat
from pathlib import Path

from headwater.adapters.spark_connect.server_config import render_properties, server_properties, write_private
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings


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


def test_an_empty_password_is_left_out(tmp_path: Path) -> None:
    assert "spark.sql.catalog.lake.jdbc.password" not in server_properties(settings(""), 1, "t", tmp_path, [])


def test_the_file_is_its_owners_alone_even_when_it_was_open_before(tmp_path: Path) -> None:
    path = tmp_path / "server.properties"
    path.touch(mode=0o644)
    write_private(path, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_backslash_in_a_password_survives_the_properties_format() -> None:
    assert render_properties({"p": "a\\b"}) == "p a\\\\b\n"
