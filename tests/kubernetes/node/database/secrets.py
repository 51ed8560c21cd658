"""The Secrets of Postgres in `prod`, as External Secrets and cert-manager would write them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.integration.storage.authority import Authority
from tests.integration.storage.secured_stores import SecuredS3
from tests.kubernetes.conftest import rendered
from tests.kubernetes.node.database.charts import DATA, OPERATORS

Manifest = dict[str, Any]
_TLS = "kubernetes.io/tls"
LOGINS = ("airflow", "run_store", "catalog", "catalog_reader", "datahub")


def password(login: str) -> str:
    """Of a login of this database."""
    return f"of-{login}"


def certificate() -> Manifest:
    """What cert-manager is asked for."""
    (found,) = [item for item in rendered("overlays/prod/platform") if item["metadata"]["name"] == "postgres-tls"]
    return found


def written(s3: SecuredS3) -> list[Manifest]:
    """All of them; the store's authority signs Postgres' certificate, too, as in production."""
    asked = certificate()
    tls = _tls("postgres-tls", DATA, s3.authority)
    tls["metadata"]["labels"] = asked["spec"]["secretTemplate"]["labels"]
    logins = [_login(name) for name in LOGINS]
    key = {"ACCESS_KEY_ID": s3.key_id.encode(), "ACCESS_SECRET_KEY": s3.secret_key.encode()}
    authority = {"ca.crt": s3.authority.ca.read_bytes()}
    plugin = [
        _secret(f"barman-cloud-{part}-tls", OPERATORS, _own("barman-cloud"), _TLS) for part in ("server", "client")
    ]
    return [tls, *logins, _secret("postgres-backup-s3", DATA, key), _secret("headwater-ca", DATA, authority), *plugin]


def _login(name: str) -> Manifest:
    """With the labels that the ExternalSecret gives it."""
    secret = f"postgres-{name.replace('_', '-')}"
    (asked,) = [
        item
        for item in rendered("overlays/prod/platform")
        if (item["kind"], item["metadata"]["name"]) == ("ExternalSecret", secret)
    ]
    template = asked["spec"]["target"]["template"]
    made = _secret(secret, DATA, {"username": name.encode(), "password": password(name).encode()}, template["type"])
    made["metadata"]["labels"] = template["metadata"]["labels"]
    return made


def _tls(name: str, namespace: str, authority: Authority) -> Manifest:
    files = {"ca.crt": authority.ca, "tls.crt": authority.certificate, "tls.key": authority.key}
    return _secret(name, namespace, {key: path.read_bytes() for key, path in files.items()}, _TLS)


def _own(name: str) -> dict[str, bytes]:
    """A certificate that vouches for itself, as the chart asks cert-manager for: each side knows the other's."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    until, serial = now + timedelta(days=1), x509.random_serial_number()
    draft = x509.CertificateBuilder(subject, subject, key.public_key(), serial, now - timedelta(hours=1), until)
    draft = draft.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    text = draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return {"ca.crt": text, "tls.crt": text, "tls.key": key.private_bytes(serialization.Encoding.PEM, *form)}


def _secret(name: str, namespace: str, data: dict[str, bytes], kind: str = "Opaque") -> Manifest:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": meta, "data": encoded}
