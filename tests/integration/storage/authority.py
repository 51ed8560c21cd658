"""An authority of the test's own, and a certificate it signed for the loopback address and names of a test's choice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """``ca`` is what clients trust; ``certificate`` and ``key`` are the servers' of 127.0.0.1.

    :param names: of hosts, that the servers answer to as well.
    """

    def __init__(self, folder: Path, names: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.certificate, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        signer, owner = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Headwater's tests")])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        root = _draft(issuer, issuer, signer).add_extension(x509.BasicConstraints(True, 0), True)
        root = root.add_extension(usage, True)
        address = x509.IPAddress(ip_address("127.0.0.1"))
        answered = x509.SubjectAlternativeName([address, *map(x509.DNSName, names)])
        own = _draft(name, issuer, owner).add_extension(x509.BasicConstraints(False, None), True)
        own = own.add_extension(answered, False)
        for path, made in ((self.ca, root), (self.certificate, own)):
            path.write_bytes(made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.key.touch(mode=0o600)
        self.key.write_bytes(owner.private_bytes(serialization.Encoding.PEM, *form))


def _draft(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(7)
    )
