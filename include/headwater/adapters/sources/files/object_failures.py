"""What stores of objects say, as failures that say what to do."""

from __future__ import annotations

import re
from urllib.parse import unquote

from headwater.adapters.redaction import Redactor
from headwater.domain.errors import CredentialsError, HeadwaterError, SourceTableMissingError, SourceUnreachableError
from headwater.ports.connections import ConnectionInfo

REFUSED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_CLIENT_TOKEN_ID|EXPIRED_TOKEN"
    r"|MISSING_AUTHENTICATION|AuthenticationFailed|AuthorizationFailure|AuthorizationPermissionMismatch"
    r"|InvalidAccessKeyId|HTTP (?:status|response code:?) 40[13]",
    re.IGNORECASE,
)
NO_SUCH = re.compile(r"NO_SUCH_BUCKET|NoSuchBucket|ContainerNotFound|FilesystemNotFound")


def secrets_of(connection: ConnectionInfo) -> tuple[str, ...]:
    """What no text may show. A SAS token is a query, which libraries write in an order of their own."""
    extra = connection.extra
    told = [str(extra[key]) for key in ("aws_session_token", "sas_token", "client_secret") if key in extra]
    parts = (part.partition("=") for part in str(extra.get("sas_token", "")).removeprefix("?").split("&"))
    signatures = [unquote(value) for name, _, value in parts if name == "sig"]
    return (connection.password.get_secret_value(), *told, *signatures)


def object_failure(root: str, connection: ConnectionInfo, facts: dict[str, str], text: str) -> HeadwaterError:
    """:param text: what the library said, which may quote what it was made with."""
    got = Redactor(secrets_of(connection))(text).splitlines()[0][:300]
    name, place = connection.id, "bucket" if root.startswith("s3://") else "container"
    if NO_SUCH.search(text):
        return SourceTableMissingError(
            f"the {place} of {root} does not exist",
            got=got,
            remedy=f"Create the {place}, or correct `path` in the extra of connection {name!r}.",
            facts=facts,
        )
    if REFUSED.search(text):
        return CredentialsError(
            f"{root} refused connection {name!r}",
            got=got,
            remedy="Set the right key on the connection, and grant it listing and reading of the prefix.",
            facts=facts,
        )
    return SourceUnreachableError(
        f"{root} could not be read over connection {name!r}",
        got=got,
        remedy="Check that the store is up and that the account, `endpoint_url` or `region_name` are right.",
        facts=facts,
    )
