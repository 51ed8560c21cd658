"""Where a Delta table lies, in the words of the library that reads its log."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from headwater.adapters.redaction import Redactor
from headwater.adapters.sources.files.landing import Landing
from headwater.adapters.sources.files.locations import S3_KINDS
from headwater.ports.connections import ConnectionInfo

_SECRET_EXTRA = ("aws_session_token", "sas_token", "client_secret")


def address_of(landing: Landing, folder: str) -> tuple[str, dict[str, str]]:
    """Address of the table and what it takes to read there; the second value holds secrets."""
    if landing.store.local:
        return str(Path(landing.store.root) / folder), {}
    options = _s3(landing.info) if landing.info.kind in S3_KINDS else _azure(landing.info)
    return f"{landing.store.root}/{folder}", options


def redacted(landing: Landing, text: str) -> str:
    """What the library says, in one line without secrets."""
    extra = landing.info.extra
    secrets = [str(extra[key]) for key in _SECRET_EXTRA if key in extra]
    clean = Redactor([landing.info.password.get_secret_value(), *secrets])(text)
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
    extra = {key: str(value) for key, value in connection.extra.items()}
    options = {"AZURE_STORAGE_ACCOUNT_NAME": connection.login or connection.host.partition(".")[0]}
    names = {
        "sas_token": "SAS_KEY",
        "tenant_id": "TENANT_ID",
        "client_id": "CLIENT_ID",
        "client_secret": "CLIENT_SECRET",
    }
    options |= {f"AZURE_STORAGE_{name}": extra[key] for key, name in names.items() if key in extra}
    if connection.password.get_secret_value() and not {"sas_token", "client_secret"} & set(extra):
        options["AZURE_STORAGE_ACCOUNT_KEY"] = connection.password.get_secret_value()
    return options
