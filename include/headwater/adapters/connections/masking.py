"""The masking key from its connection: the password is the key, ``key_version`` of the extra its version."""

from __future__ import annotations

from pydantic import ValidationError

from headwater.domain.errors import ConnectionMalformedError
from headwater.domain.masking import SHORTEST_KEY, MaskingKey
from headwater.ports.connections import Connections


def masking_key(connections: Connections, connection_id: str) -> MaskingKey:
    """Resolve the key.

    :raises ConnectionMissingError: when there is no such connection.
    :raises ConnectionMalformedError: when its password is too short for a key, or its version is none.
    """
    connection = connections.resolve(connection_id)
    version = str(connection.extra.get("key_version", "1"))
    facts = {"connection": connection_id}
    if len(connection.password.get_secret_value()) < SHORTEST_KEY:
        raise ConnectionMalformedError(
            f"the masking key of connection {connection_id} is too short",
            got=f"a password of {len(connection.password.get_secret_value())} characters",
            allowed=f"at least {SHORTEST_KEY} random characters",
            remedy="Set a longer password. Values masked before keep the old key's version in front.",
            facts=facts,
        )
    try:
        return MaskingKey(version=version, key=connection.password)
    except ValidationError as error:
        raise ConnectionMalformedError(
            f"the masking key of connection {connection_id} has no usable version",
            got=version[:40],
            allowed="key_version in the extra: up to 20 letters, digits, _ or -",
            facts=facts,
        ) from error
