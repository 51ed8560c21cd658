"""What stores of objects say, as failures that say what to do."""

from __future__ import annotations

import re

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


def object_failure(root: str, connection: ConnectionInfo, facts: dict[str, str], text: str) -> HeadwaterError:
    """:param text: what the library said, which may quote what it was made with."""
    extra = connection.extra
    secrets = [str(extra[key]) for key in ("aws_session_token", "sas_token", "client_secret") if key in extra]
    redact = Redactor([connection.password.get_secret_value(), *secrets])
    got = redact(text).splitlines()[0][:300]
    name = connection.id
    if NO_SUCH.search(text):
        return SourceTableMissingError(
            f"the bucket of {root} does not exist",
            got=got,
            remedy=f"Create the bucket, or correct `path` in the extra of connection {name!r}.",
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
        remedy="Check that the store is up and that `endpoint_url` and `region_name` are right.",
        facts=facts,
    )
