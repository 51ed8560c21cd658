"""The parts of a connection to Oracle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headwater.adapters.sources.checking.probe import Probe, network, tls
from headwater.adapters.sources.checking.queried import Make, check_session
from headwater.adapters.sources.oracle.database import Oracle
from headwater.adapters.sources.oracle.options import Options
from headwater.adapters.sources.oracle.session import CODES, driver_of, opened, told
from headwater.domain.spec import TableSpec
from headwater.ports.connections import ConnectionInfo

_GRANT = "GRANT SELECT ON gv_$transaction TO {}"


def check_oracle(connection: ConnectionInfo, tables: Sequence[TableSpec]) -> Iterator[Probe]:
    """DNS, TCP, TLS where it is asked for, login, service, rights."""
    options = Options.of(connection)
    yield from network(options.host, options.port)
    # a wallet has an authority of its own, which the login looks at
    if options.protocol == "tcps" and options.wallet_location is None:
        yield tls(options.host, options.port)
    make = Make(
        codes=CODES,
        grant_transactions=_GRANT,
        opened=lambda: opened(connection),
        told=lambda error: told(error, connection),
        errors=(driver_of(connection).Error, OSError),
    )
    yield from check_session(make, Oracle(connection), tables)
