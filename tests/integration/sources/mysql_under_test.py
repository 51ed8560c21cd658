"""A real MySQL in MariaDB's place: the tests of one are the tests of the other, where nothing says otherwise.

``HEADWATER_MYSQLD`` names the server's command, as ``mysqld``: no package of Python or Java carries one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.sources.mariadb_under_test import LOGIN, PASSWORD, MariaDb, certificate, wait_for

from headwater.adapters.embedded.postgres_files import free_port

VARIABLE = "HEADWATER_MYSQLD"
SMALL = ("--innodb-redo-log-capacity=16M", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0",
         "--max-allowed-packet=64M", "--performance-schema=OFF", "--mysqlx=OFF", "--skip-log-bin",
         "--secure-file-priv=NULL",
         "--cte-max-recursion-depth=1000000", "--innodb-strict-mode=OFF")  # fmt: skip
_SEQUENCE = re.compile(r"\bseq_(\d+)_to_(\d+)\b")
_RECURSIVE = (
    r"(WITH RECURSIVE s(seq) AS (SELECT \1 UNION ALL SELECT seq + 1 FROM s WHERE seq < \2) SELECT * FROM s) AS n"
)
_WITHOUT_MD5, _MD5 = (9, 6), "file://component_classic_hashing"


class MySql(MariaDb):
    """A server that runs, and what MariaDB alone has of the statements that tests write."""

    is_mariadb = False

    @property
    def version(self) -> tuple[int, ...]:
        with self.session() as session:
            return tuple(int(part) for part in re.findall(r"\d+", session.get_server_info())[:2])

    def sql(self, *statements: str, database: str | None = None) -> None:
        super().sql(*(_SEQUENCE.sub(_RECURSIVE, statement) for statement in statements), database=database)


@contextmanager
def serving() -> Iterator[MariaDb]:
    """A server of its own, with an empty data folder; gone afterwards. Its login is of ``caching_sha2_password``."""
    folder = Path(tempfile.mkdtemp(prefix="headwater-mysql-"))
    told = [*shlex.split(os.environ[VARIABLE]), "--no-defaults", f"--datadir={folder / 'data'}", *SMALL]
    told += ["--user=root"] if os.geteuid() == 0 else []
    _initialize(told, folder)
    port, pem = free_port(), certificate(folder)
    listening = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket", "--skip-name-resolve"]
    listening += [f"--ssl-cert={pem}", f"--ssl-key={pem}", f"--ssl-ca={pem}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*told, *listening], stdout=log, stderr=log)
    try:
        server = MySql(port, pem, process.pid)
        wait_for(server, process, folder / "log")
        if server.version >= _WITHOUT_MD5:
            server.sql(f"INSTALL COMPONENT '{_MD5}'")
        yield server
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _initialize(told: list[str], folder: Path) -> None:
    password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    login = f"'{LOGIN}'@'127.0.0.1'"
    first = folder / "first.sql"
    first.write_text(
        f"CREATE USER {login} IDENTIFIED WITH caching_sha2_password BY '{password}';\n"
        f"GRANT ALL ON *.* TO {login} WITH GRANT OPTION;\n"
    )
    command = [*told, "--initialize-insecure", f"--init-file={first}"]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
