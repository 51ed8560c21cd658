"""Every Secret and every value of it that docs/operations/security.md asks for, where pods of Airflow read it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.integration.datahub.conftest import TOKEN
from tests.integration.storage.tls_postgres import LOGIN, PASSWORD
from tests.kubernetes.node.installation.outside import DATA, POOLER, POSTGRES, S3, Outside

CA = "/etc/headwater-ca/ca.crt"
ADMIN = "platform"
LOGS, WAREHOUSE = "headwater-logs", "headwater-warehouse"
DATABASES = ("airflow", "run_store", "catalog", "source")
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Secrets:
    """What was written.

    :param password: of the login ``platform``.
    """

    manifests: list[Manifest]
    password: str


def written(outside: Outside) -> Secrets:
    """As the store of secrets would give them."""
    password = secrets.token_urlsafe(12)
    authority = outside.stores.s3.authority
    found = {
        "headwater-airflow-metadata": {
            "connection": _url("postgresql+psycopg2", POOLER, "airflow"),
            "connection-async": _url("postgresql+asyncpg", POOLER, "airflow", "?ssl=require"),
        },
        "headwater-airflow-fernet": {"fernet-key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()},
        "headwater-airflow-api": {"api-secret-key": secrets.token_urlsafe(48)},
        "headwater-airflow-jwt": {"jwt-secret": secrets.token_urlsafe(64)},
        "headwater-airflow-logins": {"passwords.json": json.dumps({ADMIN: password})},
        "headwater-stores": _stores(outside, password),
        "headwater-connections": _connections(outside),
        "headwater-ca": {"ca.crt": authority.ca.read_text()},
        "headwater-git": {"url": outside.url, "key": "", "known_hosts": ""},
        "airflow-api-tls": {"tls.crt": authority.certificate.read_text(), "tls.key": authority.key.read_text()},
    }
    return Secrets([_secret(name, values) for name, values in found.items()], password)


def _url(driver: str, host: str, database: str, more: str = "?sslmode=require") -> str:
    return f"{driver}://{LOGIN}:{quote(PASSWORD, safe='')}@{host}.{DATA}:5432/{database}{more}"


def _stores(outside: Outside, password: str) -> dict[str, str]:
    verified = f"?sslmode=verify-full&sslrootcert={CA}"
    return {
        "HEADWATER_RUN_STORE": _url("postgresql+psycopg", POSTGRES, "run_store", verified),
        "HEADWATER_CATALOG_URI": _url("postgresql+psycopg", POSTGRES, "catalog", ""),
        "HEADWATER_CATALOG_JDBC_URI": f"jdbc:postgresql://{POSTGRES}.{DATA}:5432/catalog",
        "HEADWATER_CATALOG_USER": LOGIN,
        "HEADWATER_CATALOG_PASSWORD": PASSWORD,
        "HEADWATER_S3_ACCESS_KEY_ID": outside.stores.s3.key_id,
        "HEADWATER_S3_SECRET_ACCESS_KEY": outside.stores.s3.secret_key,
        "HEADWATER_AIRFLOW_PASSWORD": password,
    }


def _connections(outside: Outside) -> dict[str, str]:
    s3 = outside.stores.s3
    logs = {"endpoint_url": f"https://{S3}.{DATA}.svc:9000", "region_name": "us-east-1", "verify": CA}
    given = {
        "HEADWATER_GIT": {"conn_type": "git", "login": "sources", "password": "of-a-server-that-asks-for-none"},
        "HEADWATER_LOGS": {"conn_type": "aws", "login": s3.key_id, "password": s3.secret_key, "extra": logs},
        "HEADWATER_DATAHUB": {"conn_type": "datahub_rest", "host": outside.datahub_url, "password": TOKEN},
    }
    made = {f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in given.items()}
    return made | {"AIRFLOW_CONN_FLIGHTS_DB": _url("postgres", POSTGRES, "source")}


def _secret(name: str, values: Mapping[str, str]) -> Manifest:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    meta = {"name": name, "namespace": "headwater"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
