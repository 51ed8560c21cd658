"""The extra of a connection is understood as a whole, or refused with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.adapters.sources.mysql.options import EXTRAS, Options
from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo


def options(**extra: Any) -> Options:
    return Options.of(ConnectionInfo(id="db", kind="mysql", host="h", extra=extra))


def test_defaults() -> None:
    found = options()
    assert (found.host, found.port, found.tls_mode, found.tls_files) == ("h", 3306, "preferred", {})
    assert (found.connect_timeout_seconds, found.statement_timeout_seconds) == (10, 14_400)
    assert found.tls_of_pymysql() == {}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"ssl_mode": "DISABLED"}, {"ssl_disabled": True}),
        ({"ssl_mode": "required"}, {"ssl": {"check_hostname": False, "verify_mode": False}}),
        ({"ssl_mode": "verify_ca", "ssl_ca": "/ca"},
         {"ssl_ca": "/ca", "ssl_verify_cert": True, "ssl_verify_identity": False}),
        ({"ssl_mode": "verify_identity"}, {"ssl_verify_cert": True, "ssl_verify_identity": True}),
        ({"ssl_cert": "/c", "ssl_key": "/k"},
         {"ssl_cert": "/c", "ssl_key": "/k", "ssl_verify_cert": False, "ssl_verify_identity": False}),
    ],
)  # fmt: skip
def test_tls_is_never_less_than_what_is_asked_for(extra: dict[str, Any], expected: dict[str, Any]) -> None:
    assert options(**extra).tls_of_pymysql() == expected


@pytest.mark.parametrize(
    "extra",
    [{"charset": "latin1"}, {"ssl_mode": "on"}, {"connect_timeout": "0"}, {"statement_timeout": "2h"},
     {"statement_timeout": -1}, {"init_command": "x"}],
)  # fmt: skip
def test_anything_else_is_refused_with_what_is_allowed(extra: dict[str, Any]) -> None:
    with pytest.raises(ConnectionMalformedError) as caught:
        options(**extra)
    assert caught.value.allowed
    if next(iter(extra)) not in EXTRAS:
        assert caught.value.allowed == ", ".join(EXTRAS)
