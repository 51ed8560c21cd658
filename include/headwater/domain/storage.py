"""How a warehouse in buckets is reached, and how the catalog's database proves who it is.

Keys are references: ``${ENV_NAME}`` in the profile, or none at all, and then the machine's own are used.
"""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr, model_validator

from headwater.domain.base import Value

NO_SECRET = SecretStr("")


class S3Settings(Value):
    """Buckets of Amazon's, or of a store that speaks the same protocol at an ``endpoint`` of its own.

    Without a key the machine's own is used: its role, a web identity, or ``AWS_…`` of the environment.
    """

    region: str
    endpoint: str | None = None
    """``http://`` or ``https://`` address; None: Amazon's."""
    path_style: bool | None = None
    """Whether buckets are folders of the address, not host names; default: where there is an endpoint."""
    access_key_id: SecretStr = NO_SECRET
    secret_access_key: SecretStr = NO_SECRET
    session_token: SecretStr = NO_SECRET
    ca_file: str | None = None
    """PEM of the authorities that may have signed the endpoint's certificate; None: those the machine trusts."""

    @property
    def by_path(self) -> bool:
        return self.endpoint is not None if self.path_style is None else self.path_style

    @property
    def has_key(self) -> bool:
        return bool(self.access_key_id.get_secret_value())

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.region:
            raise ValueError("s3 needs a region; a store that has none takes us-east-1")
        if self.has_key != bool(self.secret_access_key.get_secret_value()):
            raise ValueError("a key has two halves, access_key_id and secret_access_key: give both, or neither")
        if self.session_token.get_secret_value() and not self.has_key:
            raise ValueError("session_token belongs to a temporary key: give access_key_id and secret_access_key, too")
        if self.endpoint is not None and not _is_address(self.endpoint):
            raise ValueError("endpoint is http://host[:port] or https://host[:port], without a path or a login")
        if self.endpoint is None and self.path_style:
            raise ValueError("path_style belongs to an endpoint of its own; Amazon's buckets are host names")
        if self.ca_file is not None and not (self.endpoint or "").startswith("https://"):
            raise ValueError("ca_file belongs to an endpoint over https://")
        return self


class TlsSettings(Value):
    """TLS to the catalog's database, for Python and Spark alike."""

    sslmode: Literal["require", "verify-ca", "verify-full"]
    """``require`` encrypts and trusts anybody; ``verify-full`` also asks for the server's name."""
    sslrootcert: str | None = None
    """PEM of the authorities the server's certificate may be signed by."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.sslmode != "require" and self.sslrootcert is None:
            raise ValueError(f"sslmode {self.sslmode} needs sslrootcert, the authorities to verify the server by")
        if self.sslmode == "require" and self.sslrootcert is not None:
            raise ValueError("sslrootcert is looked at by sslmode verify-ca and verify-full only")
        return self

    @property
    def parameters(self) -> dict[str, str]:
        """The connection parameters, which libpq and JDBC call alike."""
        told: dict[str, str] = {"sslmode": self.sslmode}
        return told if self.sslrootcert is None else told | {"sslrootcert": self.sslrootcert}


def is_in_s3(warehouse: str) -> bool:
    return urlsplit(warehouse).scheme == "s3"


def _is_address(text: str) -> bool:
    parts = urlsplit(text)
    plain = not (parts.path.rstrip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
