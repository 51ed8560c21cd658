"""What `headwater doctor` says of the stores of a profile, and a query over a release in S3."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.storage.secured_stores import SecuredStores

from headwater.adapters.duckdb.comparing import Snapshots, compare_releases
from headwater.adapters.duckdb.query import query
from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.iceberg.looking import look_at_warehouse
from headwater.adapters.iceberg.rebuilding import rebuild_catalog
from headwater.adapters.profile import PROFILE_VARIABLE, write_profile
from headwater.cli import doctor
from headwater.cli.finding import Finding, explained
from headwater.domain.errors import QueryRefusedError
from headwater.domain.release import Release
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.storage_errors import WarehouseRefusedError


def findings(folder: Path, catalog: CatalogSettings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    spark = SparkSettings(jars=str(jar_cache()))
    settings = Settings(home=str(folder), repository=str(folder), run_store="x", catalog=catalog, spark=spark)
    (folder / "dags").mkdir(exist_ok=True)
    write_profile(settings, folder / "profile.yaml")
    monkeypatch.setenv(PROFILE_VARIABLE, str(folder / "profile.yaml"))
    monkeypatch.setenv("HEADWATER_REPOSITORY", str(folder))
    monkeypatch.setenv("HEADWATER_HOME", str(folder))
    return {"catalog": explained("catalog", doctor._catalog),
            "warehouse": explained("warehouse", doctor._warehouse)}  # fmt: skip


def test_stores_that_let_us_in(tmp_path: Path, secured_stores: SecuredStores, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(tmp_path, secured_stores.catalog(), monkeypatch)
    assert found["catalog"].found == "lets us in over TLSv1.3"
    assert "can be listed" in found["warehouse"].found
    assert {"catalog", "warehouse"} <= {finding.what for finding in doctor.examine()}


def test_stores_that_do_not(tmp_path: Path, secured_stores: SecuredStores, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(tmp_path, secured_stores.catalog("wrong", secret_access_key="wr0ng-key"), monkeypatch)
    assert not any(finding.fine for finding in found.values())
    assert "refused the login" in found["catalog"].found
    assert "jdbc_password" in found["catalog"].fix
    assert "refused the key" in found["warehouse"].found
    assert "secret_access_key" in found["warehouse"].fix
    assert "wr0ng-key" not in str(found)


def test_a_query_whose_key_was_withdrawn_says_so(
    tmp_path: Path, secured_stores: SecuredStores, secured_release: tuple[CatalogSettings, Release]
) -> None:
    settings, release = secured_release
    sql = "SELECT count(*) AS n FROM bronze.shop.orders"
    assert query(sql, [release], settings.warehouse, s3=settings.s3).rows == ((2,),)
    withdrawn = secured_stores.s3.settings(secret_access_key="wr0ng-key")
    with pytest.raises(WarehouseRefusedError) as caught:
        query(sql, [release], settings.warehouse, s3=withdrawn)
    assert "wr0ng-key" not in str(caught.value)
    with pytest.raises(QueryRefusedError, match="released tables"):
        query(f"SELECT * FROM '{settings.warehouse}/x.parquet'", [release], settings.warehouse, s3=settings.s3)


def test_the_catalog_is_made_again_from_the_files_in_s3(
    secured_stores: SecuredStores, secured_release: tuple[CatalogSettings, Release]
) -> None:
    settings, release = secured_release
    empty = secured_stores.catalog().model_copy(update={"warehouse": settings.warehouse})
    assert list(rebuild_catalog(empty, [release]).registered) == ["bronze.shop__orders"]
    found = compare_releases([release], Snapshots(settings), [release], Snapshots(empty))
    assert (found.releases, found.rows, found.differences) == (1, 2, [])


def test_without_a_key_the_machines_own_is_used(
    secured_stores: SecuredStores,
    secured_release: tuple[CatalogSettings, Release],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rule 42: nothing of it is in the profile; here it is the environment's, on a cloud the role's."""
    settings, release = secured_release
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", secured_stores.s3.key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secured_stores.s3.secret_key)
    keyless = secured_stores.s3.settings(access_key_id="", secret_access_key="")
    settings = settings.model_copy(update={"s3": keyless})
    assert "can be listed" in look_at_warehouse(settings)
    rows = query("SELECT count(*) FROM bronze.shop.orders", [release], settings.warehouse, s3=keyless).rows
    assert rows == ((2,),)
