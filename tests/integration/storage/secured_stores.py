"""A catalog that asks for a password over TLS, and an S3 server over TLS that checks who signed each request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from pydantic import SecretStr
from tests.integration.sources.s3_under_test import await_port
from tests.integration.storage.authority import Authority
from tests.integration.storage.tls_postgres import LOGIN, PASSWORD, TlsPostgres

from headwater.adapters.embedded.postgres_files import free_port
from headwater.domain.settings import CatalogSettings
from headwater.domain.storage import S3Settings, TlsSettings

REGION = "us-east-1"
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@dataclass(frozen=True)
class SecuredS3:
    """Where the server listens, and the only key it knows."""

    port: int
    authority: Authority
    key_id: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def settings(self, **changes: Any) -> S3Settings:
        values = {
            "region": REGION, "endpoint": self.endpoint, "ca_file": str(self.authority.ca),
            "access_key_id": self.key_id, "secret_access_key": self.secret_key,
        }  # fmt: skip
        return S3Settings.model_validate(values | changes)

    def client(self) -> Any:
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, verify=str(self.authority.ca),
            aws_access_key_id=self.key_id, aws_secret_access_key=self.secret_key,
        )  # fmt: skip

    def make_bucket(self) -> str:
        name = f"lake-{uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name


@dataclass(frozen=True)
class SecuredStores:
    """Both, and fresh catalogs on them."""

    postgres: TlsPostgres
    s3: SecuredS3

    def catalog(self, password: str = PASSWORD, **s3: Any) -> CatalogSettings:
        """An empty catalog of its own, whose warehouse is a bucket of its own."""
        database = f"catalog_{uuid4().hex}"
        self.postgres.make_database(database)
        return CatalogSettings(
            uri=SecretStr(self.postgres.url(database, password)),
            jdbc_uri=f"jdbc:postgresql://127.0.0.1:{self.postgres.port}/{database}",
            jdbc_user=LOGIN,
            jdbc_password=SecretStr(password),
            tls=TlsSettings(sslmode="verify-full", sslrootcert=str(self.postgres.authority.ca)),
            warehouse=f"s3://{self.s3.make_bucket()}/lake",
            s3=self.s3.settings(**s3),
        )


@contextmanager
def serving(names: Sequence[str] = ()) -> Iterator[SecuredStores]:
    """Both servers on free loopback ports; gone afterwards.

    :param names: of hosts, that their certificate is good for as well.
    """
    with tempfile.TemporaryDirectory(prefix="headwater-authority-") as folder:
        authority = Authority(Path(folder), names)
        with TlsPostgres(authority) as postgres, _s3(authority) as s3:
            yield SecuredStores(postgres, s3)


@contextmanager
def _s3(authority: Authority) -> Iterator[SecuredS3]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    command += ["-c", str(authority.certificate), "-k", str(authority.key)]
    # the three that make the user; whatever comes after must be signed with the user's key, and buckets stand in paths
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "3", "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        await_port(port, process)
        yield SecuredS3(port, authority, *_make_user(port, authority))
    finally:
        process.kill()
        process.wait()


def _make_user(port: int, authority: Authority) -> tuple[str, str]:
    iam = boto3.client(
        "iam", endpoint_url=f"https://127.0.0.1:{port}", region_name=REGION, verify=str(authority.ca),
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip
    iam.create_user(UserName="headwater")
    key = iam.create_access_key(UserName="headwater")["AccessKey"]
    iam.put_user_policy(UserName="headwater", PolicyName="all", PolicyDocument=json.dumps(_EVERYTHING))
    return key["AccessKeyId"], key["SecretAccessKey"]
