"""Masking of personal data: HMAC-SHA256 with a versioned key (rule 36), the same in Python and in Spark."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from pydantic import Field, SecretStr

from headwater.domain.base import Value

SHORTEST_KEY = 32
"""Characters a masking key has to have at least."""
MASKING_VARIABLE = "HEADWATER_MASKING_KEY"
"""Environment variable that hands a ``MaskingKey`` to a Spark job as JSON; it is in no file and no argument."""
MASKING_PROPERTY = "spark.headwater.masking"
"""The same as a property, for a driver in a container of YARN; its name is one that Spark redacts."""
_BLOCK_BYTES = 64


class Pads(NamedTuple):
    """The two keys of HMAC: what the text and what its hash is prefixed with."""

    inner: bytes
    outer: bytes


class MaskingKey(Value):
    """A key and its version, which every masked value carries: ``<version>:<hex digest>``."""

    version: str = Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")
    key: SecretStr

    @property
    def pads(self) -> Pads:
        """The key as HMAC uses it, for engines that have sha256 only."""
        key = self.key.get_secret_value().encode()
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
        return Pads(bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block))

    def mask(self, text: str) -> str:
        """The masked value of a canonical text (``domain.row_hash.canonical_value``)."""
        digest = hmac.new(self.key.get_secret_value().encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{self.version}:{digest}"


FIXTURE_KEY = MaskingKey(version="fixture", key=SecretStr("the key of unit tests, which hides nothing"))
"""What transforms are tested with, so that a fixture can say what it expects."""
