"""Where a Delta table lies, in the words of the library that reads its log."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from headwater.adapters.redaction import Redactor
from headwater.adapters.sources.files.azure import AzureAccount, account_key, account_of
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.locations import S3_KINDS
from headwater.adapters.sources.files.object_failures import secrets_of
from headwater.ports.connections import ConnectionInfo


def address_of(landing: Landing, folder: str) -> tuple[str, dict[str, str]]:
    """Address of the table and what it takes to read there; the second value holds secrets."""
    if landing.store.local:
        return str(Path(landing.store.root) / folder), {}
    options = _s3(landing.info) if landing.info.kind in S3_KINDS else _azure(landing.info)
    return f"{landing.store.root}/{folder}", options


def redacted(landing: Landing, text: str) -> str:
    """What the library says, in one line without secrets."""
    clean = Redactor(secrets_of(landing.info))(text)
    return " ".join(clean.split())[:300]


def _s3(connection: ConnectionInfo) -> dict[str, str]:
    """Without a login the machine's own credentials are used: environment, profile or instance role."""
    extra = {key: str(value) for key, value in connection.extra.items()}
    options = {"AWS_REGION": extra.get("region_name", "us-east-1")}
    if connection.login:
        options["AWS_ACCESS_KEY_ID"] = connection.login
        options["AWS_SECRET_ACCESS_KEY"] = connection.password.get_secret_value()
    options |= {"AWS_SESSION_TOKEN": extra["aws_session_token"]} if "aws_session_token" in extra else {}
    options |= {"AWS_IAM_ROLE_ARN": extra["role_arn"]} if "role_arn" in extra else {}
    if "endpoint_url" in extra:
        options["AWS_ENDPOINT_URL"] = extra["endpoint_url"]
        options["AWS_ALLOW_HTTP"] = str(urlsplit(extra["endpoint_url"]).scheme == "http").lower()
    return options


def _azure(connection: ConnectionInfo) -> dict[str, str]:
    extra, account = {key: str(value) for key, value in connection.extra.items()}, account_of(connection)
    options = {"AZURE_STORAGE_ACCOUNT_NAME": account.name}
    if account != AzureAccount(account.name):
        options["AZURE_STORAGE_ENDPOINT"] = account.url
        options["AZURE_ALLOW_HTTP"] = str(account.url.startswith("http://")).lower()
    names = {
        "sas_token": "SAS_KEY",
        "tenant_id": "TENANT_ID",
        "client_id": "CLIENT_ID",
        "client_secret": "CLIENT_SECRET",
    }
    options |= {f"AZURE_STORAGE_{name}": extra[key] for key, name in names.items() if key in extra}
    if key := account_key(connection):
        options["AZURE_STORAGE_ACCOUNT_KEY"] = key
    return options
