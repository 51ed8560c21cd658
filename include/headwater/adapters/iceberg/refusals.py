"""Which failures of the catalog's database and of the warehouse's store no retry mends, and what mends them."""

from __future__ import annotations

import re

from headwater.adapters.redaction import Redactor
from headwater.adapters.sources.files.object_failures import NO_SUCH, REFUSED
from headwater.domain.errors import CatalogError
from headwater.domain.storage_errors import (
    CatalogRefusedError,
    WarehouseDownError,
    bucket_missing,
    key_refused,
    store_untrusted,
)

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
    return refused_by_database(what, text, got, facts)


def refused_by_store(what: str, text: str) -> CatalogError:
    """The error of an answer over HTTP that was no success."""
    got = Redactor()(text.splitlines()[0][:300])
    found = _of_store(what, text, got, {})
    remedy = "Check that the store is up and that `catalog.s3` of the profile names it; then ask again."
    return found or WarehouseDownError(f"{what}: the warehouse's store did not answer", got=got, remedy=remedy)


def first_line(error: BaseException) -> str:
    """One bounded line of a library's error: its cause where it has one, never SQL with its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [""]
    return f"{type(cause).__name__}: {lines[0][:300]}"


def refused_by_database(what: str, text: str, got: str, facts: dict[str, str]) -> CatalogError | None:
    """The error of a database that refused the login or TLS; None where ``text`` says of neither."""
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
        return bucket_missing(what, got, facts)
    if REFUSED.search(text) or _HTTP_REFUSED.search(text) or "access denied: s3://" in text:
        return key_refused(what, got, facts)
    return store_untrusted(what, got, facts) if _STORE_TLS.search(text) else None
