"""The folder that tasks and drivers share, in a bucket whose address comes of the profile, and its key does not."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from tests.integration.sources.s3_under_test import KEY_ID, SECRET_KEY, serving

from headwater.adapters.spark_applications.exchange import exchange_location
from headwater.adapters.spark_applications.left_jobs import LeftJobs
from headwater.adapters.spark_applications.shared_folder import open_shared_folder
from headwater.domain.settings import CatalogSettings, Settings, SparkSettings
from headwater.domain.storage import S3Settings


def test_what_one_side_writes_the_other_reads_and_removes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with serving() as server:
        s3 = S3Settings(region="us-east-1", endpoint=f"http://127.0.0.1:{server.port}")
        address = SecretStr("postgresql+psycopg://h/c")
        catalog = CatalogSettings(uri=address, jdbc_uri="", warehouse=f"s3://{server.make_bucket()}/lake", s3=s3)
        settings = Settings(
            home="h", repository="r", run_store=address, catalog=catalog, spark=SparkSettings(jars="j", mode="submit")
        )
        location = exchange_location(settings)
        assert SECRET_KEY not in location

        task, driver = open_shared_folder(location), open_shared_folder(location)
        assert driver.read("key/claim.json") is None
        task.write("key/claim.json", "ö")
        assert driver.read("key/claim.json") == "ö"
        task.remove("key")
        assert driver.read("key/claim.json") is None

        # what a killed task left: maintenance finds whose it is, and removes it whole
        key = f"shop-refine-{'0' * 12}"
        task.write(f"{key}/claim.json", "{}")
        task.write(f"{key}/{'a' * 32}/job.json", '{"run_key": "i/shop/r"}')
        task.write("theirs/readme.txt", "x")
        (left,) = LeftJobs(settings).found()
        assert (left.place, left.run_keys, left.files) == (key, ("i/shop/r",), 2)
        assert LeftJobs(settings).remove(left)
        assert [file.name for file in driver.files()] == ["theirs/readme.txt"]
