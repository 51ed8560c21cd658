"""Which account a connection means, and what is refused before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from headwater.adapters.sources.files.azure import AzureAccount, account_of
from headwater.adapters.sources.files.object_failures import object_failure
from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

KEY = "dGhlIGtleQ=="
PLACE = "abfss://landing@shopdata.dfs.core.windows.net/orders"


def connection(path: str = PLACE, password: str = KEY, **values: Any) -> ConnectionInfo:
    extra = {"path": path, **values.pop("extra", {})}
    return ConnectionInfo(id="lake", kind="adls", password=SecretStr(password), extra=extra, **values)


@pytest.mark.parametrize(
    ("known", "account"),
    [
        (connection(), AzureAccount("shopdata")),
        (connection(login="shopdata"), AzureAccount("shopdata")),
        (connection("abfs://landing/orders", login="shopdata"), AzureAccount("shopdata")),
        (connection("abfs://landing", host="shopdata.blob.core.windows.net"), AzureAccount("shopdata")),
        (connection("abfs://landing", host="https://shopdata.blob.core.windows.net"), AzureAccount("shopdata")),
        (
            connection("abfss://landing@shopdata.dfs.core.chinacloudapi.cn"),
            AzureAccount("shopdata", "core.chinacloudapi.cn"),
        ),
        (
            connection(extra={"endpoint_url": "http://127.0.0.1:10000/"}),
            AzureAccount("shopdata", endpoint="http://127.0.0.1:10000"),
        ),
    ],
)
def test_the_account_is_the_one_of_login_host_or_path(known: ConnectionInfo, account: AzureAccount) -> None:
    assert account_of(known) == account


def test_an_account_answers_in_its_cloud_or_below_the_endpoint() -> None:
    assert AzureAccount("a").url == "https://a.blob.core.windows.net"
    assert AzureAccount("a", "core.chinacloudapi.cn").url == "https://a.blob.core.chinacloudapi.cn"
    assert AzureAccount("a", endpoint="http://127.0.0.1:10000").url == "http://127.0.0.1:10000/a"


@pytest.mark.parametrize(
    ("known", "what"),
    [
        (connection(login="other"), "names two accounts"),
        (connection(host="other.blob.core.windows.net"), "names two accounts"),
        (connection("abfs://landing"), "names no account"),
        (connection("abfss://landing@shopdata.example.com"), "names no account in its path"),
        (connection("abfss://landing@shopdata"), "names no account in its path"),
        (connection(password="no key!"), "has a password that is no account key"),
        (connection(password="sv=2021-12-02&sig=abc"), "has a password that is no account key"),
    ],
)
def test_what_cannot_be_right_is_refused_with_what_to_write(known: ConnectionInfo, what: str) -> None:
    with pytest.raises(ConnectionMalformedError, match=what) as caught:
        account_of(known)
    assert caught.value.allowed
    assert known.password.get_secret_value() not in str(caught.value)


@pytest.mark.parametrize("quoted", ["sig=a%2Fb%2Bc%3D&se=9", "sig=a%2fb%2bc%3d&se=9", "sig=a/b+c="])
def test_the_signature_of_a_token_is_masked_wherever_it_stands(quoted: str) -> None:
    token = connection(password="", extra={"sas_token": "?se=9&sig=a%2Fb%2Bc%3D"})
    failure = object_failure(PLACE, token, {}, f"403 for https://shopdata.blob/landing?{quoted}")
    assert failure.got is not None
    assert "sig=***" in failure.got
