"""The masking key comes from a connection and is refused where it would hide nothing."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from headwater.adapters.connections.masking import masking_key
from headwater.domain.errors import ConnectionMalformedError
from headwater.ports.connections import ConnectionInfo

LONG = "k" * 32


class OneConnection:
    def __init__(self, password: str, extra: dict[str, object]) -> None:
        self._found = ConnectionInfo(id="m", kind="generic", password=SecretStr(password), extra=extra)

    def resolve(self, connection_id: str) -> ConnectionInfo:
        assert connection_id == "m"
        return self._found


def test_the_password_is_the_key_and_the_extra_has_its_version() -> None:
    key = masking_key(OneConnection(LONG, {"key_version": 3}), "m")
    assert (key.version, key.key.get_secret_value()) == ("3", LONG)
    assert masking_key(OneConnection(LONG, {}), "m").version == "1"


@pytest.mark.parametrize(("password", "extra"), [(LONG[1:], {}), (LONG, {"key_version": "a:b"})])
def test_what_is_no_key_is_refused_without_showing_it(password: str, extra: dict[str, object]) -> None:
    with pytest.raises(ConnectionMalformedError) as raised:
        masking_key(OneConnection(password, extra), "m")
    assert "kkk" not in str(raised.value)
