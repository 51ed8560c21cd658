"""Settings of a warehouse in S3 and of TLS to the catalog: what is half said is refused with words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headwater.domain.settings import CatalogSettings
from headwater.domain.storage import S3Settings, TlsSettings

PLAIN = {"uri": "postgresql+psycopg://h/c", "jdbc_uri": "jdbc:postgresql://h/c", "warehouse": "/lake"}
IN_S3 = PLAIN | {"warehouse": "s3://bucket/lake", "s3": {"region": "eu-central-1"}}
VERIFIED = {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"access_key_id": "AK"}, "give both, or neither"),
        ({"secret_access_key": "hidden-key"}, "give both, or neither"),
        ({"session_token": "hidden-token"}, "belongs to a temporary key"),
        ({"endpoint": "minio:9000"}, "endpoint is http"),
        ({"endpoint": "https://me:hidden@minio:9000"}, "without a path or a login"),
        ({"path_style": True}, "Amazon's buckets are host names"),
        ({"ca_file": "/ca.pem"}, "https://"),
        ({"ca_file": "/ca.pem", "endpoint": "http://minio:9000"}, "https://"),
        ({"region": ""}, "needs a region"),
        ({"secret": "x"}, "Extra inputs"),
    ],
)
def test_half_a_store_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        S3Settings.model_validate({"region": "r"} | changes)
    told = caught.value.errors(include_input=False)[0]["msg"]
    assert words in told
    assert "hidden" not in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"warehouse": "s3://bucket/lake"}, "lacks s3"),
        ({"s3": {"region": "r"}}, "lacks a warehouse s3://"),
        ({"warehouse": "s3a://bucket/lake"}, "not s3a://"),
        ({"warehouse": "s3:///lake", "s3": {"region": "r"}}, "names no bucket"),
        ({"warehouse": "s3://b/lake#1", "s3": {"region": "r"}}, "holds no #"),
        ({"warehouse": "/data/lake?"}, "holds no #"),
        ({"tls": VERIFIED, "uri": "postgresql+psycopg://h/c?sslmode=require"}, "said twice"),
        ({"jdbc_uri": "jdbc:postgresql://h/c?sslmode=require"}, "differ in sslmode"),
        ({"uri": "postgresql+psycopg://h/c?sslmode=require"}, "differ in sslmode"),
    ],
)
def test_a_catalog_whose_halves_do_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CatalogSettings.model_validate(PLAIN | changes)


@pytest.mark.parametrize(
    "given", [{"sslmode": "verify-full"}, {"sslmode": "require", "sslrootcert": "/ca"}, {"sslmode": "prefer"}]
)
def test_half_of_tls_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TlsSettings.model_validate(given)


def test_both_halves_may_say_tls_alike() -> None:
    end = "?sslmode=verify-full&sslrootcert=/ca"
    assert CatalogSettings.model_validate(PLAIN | {key: f"{PLAIN[key]}{end}" for key in ("uri", "jdbc_uri")})


def test_buckets_are_folders_where_there_is_an_endpoint() -> None:
    assert S3Settings(region="r", endpoint="http://minio:9000").by_path
    assert not S3Settings(region="r", endpoint="https://s3.example.com", path_style=False).by_path
    assert not S3Settings(region="r").by_path


def test_no_key_is_shown() -> None:
    s3 = S3Settings(region="r", access_key_id="hidden1", secret_access_key="hidden2", session_token="hidden3")
    catalog = CatalogSettings.model_validate(IN_S3 | {"s3": s3})
    assert "hidden" not in repr(catalog) + str(catalog) + catalog.model_dump_json()


def test_what_is_to_be_masked_is_told() -> None:
    s3 = S3Settings(region="r", access_key_id="AK", secret_access_key="hidden2", session_token="hidden3")
    uri = {"uri": "postgresql+psycopg://lake:a%40b@h/c", "jdbc_password": "a@b"}
    catalog = CatalogSettings.model_validate(IN_S3 | uri | {"s3": s3})
    assert set(catalog.secrets) == {"a%40b", "a@b", "hidden2", "hidden3"}
    assert CatalogSettings.model_validate(PLAIN).secrets == ()
