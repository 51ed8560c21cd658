"""Containers of Azure: whose account they lie in, where it answers, and what opens them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

if TYPE_CHECKING:
    import pyarrow.fs

PUBLIC = "core.windows.net"
_OTHER_CREDENTIALS = {"sas_token", "client_secret"}


@dataclass(frozen=True, slots=True)
class AzureAccount:
    """A storage account, and where it answers.

    :param cloud: what its addresses end in: ``core.windows.net``, or the name of another cloud of Azure.
    :param endpoint: ``http://127.0.0.1:10000`` of an emulator or gateway, which has accounts as folders; else empty.
    """

    name: str
    cloud: str = PUBLIC
    endpoint: str = ""

    @property
    def url(self) -> str:
        """The account by the Blob service."""
        return f"{self.endpoint}/{self.name}" if self.endpoint else f"https://{self.name}.blob.{self.cloud}"


def account_of(connection: ConnectionInfo) -> AzureAccount:
    """The account that a connection's login, host or path names.

    :raises ConnectionMalformedError: when none or two are named, the path's address is none of Azure's, or the password
        is used as account key and can be none.
    """
    netloc = urlsplit(str(connection.extra.get("path", ""))).netloc
    named, _, domain = netloc.partition("@")[2].partition(".")
    service, _, cloud = domain.partition(".")
    host = urlsplit(connection.host).netloc if "://" in connection.host else connection.host
    given = connection.login or host.partition(".")[0]
    if named and (service not in ("dfs", "blob") or not cloud):
        raise _malformed(connection, "names no account in its path", netloc, "container@account.dfs.core.windows.net")
    if named and given and named != given:
        raise _malformed(
            connection, "names two accounts", f"{given!r} as login, {named!r} in the path", "the same account in both"
        )
    if not (given or named):
        raise _malformed(connection, "names no account", netloc, "the account as login, or container@account… as path")
    if account_key(connection):
        _check_key(connection)
    endpoint = str(connection.extra.get("endpoint_url", "")).rstrip("/")
    return AzureAccount(given or named, cloud or PUBLIC, endpoint)


def account_key(connection: ConnectionInfo) -> str:
    """The password, where nothing else of the connection says who asks."""
    return "" if _OTHER_CREDENTIALS & set(connection.extra) else connection.password.get_secret_value()


def azure_files(connection: ConnectionInfo) -> pyarrow.fs.FileSystem:
    """Without key, token and application the machine's own identity is used."""
    import pyarrow.fs

    account, extra = account_of(connection), {key: str(value) for key, value in connection.extra.items()}
    names = ("tenant_id", "client_id", "client_secret")
    options: dict[str, str] = {name: extra[name] for name in names if name in extra}
    if "sas_token" in extra:
        # the library joins it to addresses as it is: without the mark it would become a part of the path
        options["sas_token"] = f"?{extra['sas_token'].removeprefix('?')}"
    if key := account_key(connection):
        options["account_key"] = key
    at = urlsplit(account.endpoint)
    for service in ("blob", "dfs"):
        options[f"{service}_storage_authority"] = at.netloc or f".{service}.{account.cloud}"
        options[f"{service}_storage_scheme"] = at.scheme or "https"
    return pyarrow.fs.AzureFileSystem(account.name, **options)


def _check_key(connection: ConnectionInfo) -> None:
    """The library says of other texts that it ran out of characters."""
    key = account_key(connection)
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        got = f"{len(key)} characters that are no base64"
        allowed = "the account key as Azure shows it; a SAS token stands as sas_token in the extra"
        raise _malformed(connection, "has a password that is no account key", got, allowed) from None


def _malformed(connection: ConnectionInfo, what: str, got: str, allowed: str) -> ConnectionMalformedError:
    return ConnectionMalformedError(
        f"connection {connection.id!r} {what}", got=got, allowed=allowed, facts={"connection": connection.id}
    )
