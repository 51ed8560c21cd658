"""One part of a connection, looked at; and the parts that all networks have."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from headwater.domain.base import Value

SECONDS = 10


class Probe(Value):
    """What was found of one part. ``fix`` says what to do when it is not fine."""

    part: str
    fine: bool
    found: str
    fix: str = ""


def good(part: str, found: str) -> Probe:
    return Probe(part=part, fine=True, found=found)


def bad(part: str, found: str, fix: str) -> Probe:
    return Probe(part=part, fine=False, found=found, fix=fix)


def network(host: str, port: int) -> Iterator[Probe]:
    """DNS, then TCP; ends after the first that fails."""
    try:
        addresses = sorted({str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError) as error:
        fix = f"Correct the host of the connection, or make {host!r} known to the name server of this machine."
        yield bad("DNS", f"{host!r} has no address: {error}", fix)
        return
    yield good("DNS", f"{host} is {', '.join(addresses)}")
    try:
        socket.create_connection((host, port), SECONDS).close()
    except ConnectionRefusedError:
        fix = f"Start the server, or correct the port: nothing listens on {port} there."
        yield bad("TCP", f"{host}:{port} refuses", fix)
        return
    except OSError as error:
        fix = f"Open port {port} of {host} for this machine in the firewalls between them, or correct the host."
        yield bad("TCP", f"{host}:{port} does not answer: {error}", fix)
        return
    yield good("TCP", f"{host}:{port} answers")


def tls(host: str, port: int) -> Probe:
    """A handshake by the certificates this machine trusts."""
    try:
        with (
            socket.create_connection((host, port), SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            return good("TLS", f"{secured.version()}")
    except ssl.SSLCertVerificationError as error:
        fix = "Add the authority that signed the certificate to this machine's, or use the name the certificate has."
        return bad("TLS", error.verify_message, fix)
    except OSError as error:
        return bad("TLS", str(error), "Check that the port speaks TLS; for plain HTTP write http:// in the endpoint.")
