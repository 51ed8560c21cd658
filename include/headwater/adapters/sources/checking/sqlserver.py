"""The parts of a connection to SQL Server."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence

from headwater.adapters.sources.checking.probe import SECONDS, Probe, bad, good, network
from headwater.adapters.sources.checking.queried import Make, check_session
from headwater.adapters.sources.sqlserver.database import SqlServer
from headwater.adapters.sources.sqlserver.options import Options
from headwater.adapters.sources.sqlserver.session import CODES, driver_of, opened, told
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo

_VERSION, _ENCRYPTION, _END = 0, 1, 0xFF
_ENCRYPT_ON = 1
_OFFERS = {0: "offered", 1: "offered", 2: "not offered", 3: "required"}
_PRELOGIN, _TABULAR = 0x12, 0x04
_GRANT = "GRANT VIEW SERVER STATE TO {}"


def check_sqlserver(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """DNS, TCP, TLS, login, database, rights."""
    options = Options.of(connection)
    yield from network(options.host, options.port)
    yield _tls(options)
    make = Make(
        codes=CODES,
        grant_transactions=_GRANT,
        opened=lambda: opened(connection),
        told=lambda error: told(error, connection),
        errors=(driver_of(connection).Error,),
    )
    yield from check_session(make, SqlServer(connection), tables)


def _tls(options: Options) -> Probe:
    """Whether the server offers TLS, as its answer to a first packet tells."""
    with socket.create_connection((options.host, options.port), SECONDS) as plain:
        plain.settimeout(SECONDS)
        try:
            plain.sendall(prelogin())
            answer = plain.recv(4096)
        except OSError:
            answer = b""
    offer = encryption_of(answer)
    if offer not in _OFFERS:
        return bad("TLS", "the port does not speak SQL Server's protocol", "Correct host and port of the connection.")
    word = _OFFERS[offer]
    if options.encryption == "require" and word == "not offered":
        fix = "Turn TLS on at the server, or set `encryption` to request where the network may be trusted."
        return bad("TLS", "not offered, but encryption is require", fix)
    if options.encryption == "off" and word == "required":
        return bad("TLS", "required, but encryption is off", "Set `encryption` to require.")
    return good("TLS", f"{word}; encryption {options.encryption}")


def prelogin() -> bytes:
    """The first packet of a session: a version, and that encryption is wanted."""
    options = struct.pack(">BHHBHHB", _VERSION, 11, 6, _ENCRYPTION, 17, 1, _END)
    payload = options + bytes(6) + bytes([_ENCRYPT_ON])
    return struct.pack(">BBHHBB", _PRELOGIN, 1, 8 + len(payload), 0, 0, 0) + payload


def encryption_of(answer: bytes) -> int | None:
    """What the server's answer says of encryption; None for what is no such answer."""
    if len(answer) < 8 or answer[0] != _TABULAR:
        return None
    payload, at = answer[8:], 0
    while at + 5 <= len(payload) and payload[at] != _END:
        token, offset, length = struct.unpack_from(">BHH", payload, at)
        if token == _ENCRYPTION and length == 1 and offset < len(payload):
            return int(payload[offset])
        at += 5
    return None
