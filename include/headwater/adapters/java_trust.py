"""The authorities Java trusts for the certificate of a warehouse's store: the profile's PEM in the form Java reads."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from headwater.domain.errors import EngineError

TRUST_STORE = "trusted.p12"
TRUST_STORE_PASSWORD = "changeit"  # noqa: S105 - certificates are public; the form asks for a password
TRUST_STORE_TYPE = "PKCS12"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def trust_options(trust_store: str | Path) -> dict[str, str]:
    """Java's system properties that have it trust this store. They hold no secret."""
    named = {"": str(trust_store), "Type": TRUST_STORE_TYPE, "Password": TRUST_STORE_PASSWORD}
    return {f"javax.net.ssl.trustStore{part}": value for part, value in named.items()}


def write_trust_store(java_home: Path, ca_file: Path, target: Path) -> None:
    """Write the store anew. :raises EngineError: when the file holds no certificate, or Java cannot read one."""
    try:
        certificates = _CERTIFICATE.findall(ca_file.read_text())
    except OSError as error:
        raise _unusable(ca_file, str(error)) from error
    if not certificates:
        raise _unusable(ca_file, "no certificate in it")
    target.unlink(missing_ok=True)
    command = [str(java_home / "bin" / "keytool"), "-importcert", "-noprompt", "-storetype", TRUST_STORE_TYPE]
    command += ["-keystore", str(target), "-storepass", TRUST_STORE_PASSWORD]
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as one:
        for number, certificate in enumerate(certificates):
            one.seek(0)
            one.truncate()
            one.write(certificate)
            one.flush()
            told = subprocess.run(
                [*command, "-alias", f"ca{number}", "-file", one.name], capture_output=True, text=True, check=False
            )
            if told.returncode != 0:
                raise _unusable(ca_file, (told.stdout + told.stderr).strip()[-300:])


def _unusable(ca_file: Path, got: str) -> EngineError:
    return EngineError(
        f"{ca_file} cannot be used to verify the warehouse's store", got=got,
        remedy="Put the authority's certificate there, in PEM, or correct `catalog.s3.ca_file` of the profile.",
    )  # fmt: skip
