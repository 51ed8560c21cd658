"""Which failures of the catalog's database and of the warehouse's store no retry mends, and what mends them."""

from __future__ import annotations

import re

from headwater.adapters.redaction import Redactor
from headwater.adapters.sources.files.object_failures import NO_SUCH, REFUSED
from headwater.domain.errors import CatalogError
from headwater.domain.storage_errors import CatalogRefusedError, WarehouseRefusedError

_LOGIN = re.compile(r"password authentication failed|no password supplied|fe_sendauth|permission denied for")
_LOGIN_MISSING = re.compile(r'role "[^"]*" (?:does not exist|is not permitted)|database "[^"]*" does not exist')
_TLS = re.compile(
    r"certificate verify failed|certificate for .* does not match|root certificate file|could not read root certificate"
    r"|server does not support SSL|no encryption|SSL error"
)
_TLS_CUT = re.compile(r"SSL error: unexpected eof|SSL SYSCALL error|SSL connection has been closed unexpectedly")
_STORE_TLS = re.compile(
    r"curlCode: (?:35|60|77)|SSL peer certificate|SSL certificate|problem with the CA cert", re.IGNORECASE
)
_HTTP_REFUSED = re.compile(r"\(HTTP 40[13]\b")
_CONNECTION = "`catalog` of the profile"


def refusal(what: str, error: BaseException, facts: dict[str, str]) -> CatalogError | None:
    """The error of a refusal; None for a failure that may pass by itself."""
    cause = getattr(error, "orig", None) or error
    text = str(cause)
    got = Redactor()(first_line(error))
    if isinstance(error, OSError):
        return _of_store(what, text, got, facts)
    return _of_database(what, text, got, facts)


def refused_by_store(what: str, text: str) -> CatalogError:
    """The error of an answer over HTTP that was no success."""
    got = Redactor()(text.splitlines()[0][:300])
    found = _of_store(what, text, got, {})
    remedy = "Check that the store is up and that `catalog.s3` of the profile names it; then ask again."
    return found or CatalogError(f"{what}: the warehouse's store did not answer", got=got, remedy=remedy)


def first_line(error: BaseException) -> str:
    """One bounded line of a library's error: its cause where it has one, never SQL with its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [""]
    return f"{type(cause).__name__}: {lines[0][:300]}"


def _of_database(what: str, text: str, got: str, facts: dict[str, str]) -> CatalogError | None:
    if _LOGIN.search(text) or _LOGIN_MISSING.search(text):
        return CatalogRefusedError(
            f"{what}: the catalog's database refused the login", got=got, facts=facts | {"part": "login"},
            remedy=f"Give the right login and password to {_CONNECTION}: in uri, jdbc_user and jdbc_password.",
        )  # fmt: skip
    if _TLS.search(text) and not _TLS_CUT.search(text):
        return CatalogRefusedError(
            f"{what}: TLS to the catalog's database failed", got=got, facts=facts | {"part": "TLS"},
            remedy="Set `catalog.tls` of the profile: an sslmode the server offers, and in sslrootcert the authority "
            "that signed its certificate; sslmode verify-full also needs the name the certificate is for.",
        )  # fmt: skip
    return None


def _of_store(what: str, text: str, got: str, facts: dict[str, str]) -> CatalogError | None:
    if NO_SUCH.search(text):
        return WarehouseRefusedError(
            f"{what}: the warehouse's bucket does not exist", got=got, facts=facts | {"part": "bucket"},
            remedy="Create the bucket, or correct `catalog.warehouse` of the profile.",
        )  # fmt: skip
    if REFUSED.search(text) or _HTTP_REFUSED.search(text) or "access denied: s3://" in text:
        return WarehouseRefusedError(
            f"{what}: the warehouse's store refused the key", got=got, facts=facts | {"part": "key"},
            remedy="Give the right key to `catalog.s3` of the profile, by access_key_id and secret_access_key, or the "
            "right role to the machine; it needs to list the bucket and to read, write and delete below the prefix.",
        )  # fmt: skip
    if _STORE_TLS.search(text):
        return WarehouseRefusedError(
            f"{what}: TLS to the warehouse's store failed", got=got, facts=facts | {"part": "TLS"},
            remedy="Set `catalog.s3.ca_file` of the profile to the authority that signed the store's certificate, and "
            "`endpoint` to a name the certificate is for.",
        )  # fmt: skip
    return None
