"""A real S3 server on a free loopback port, and buckets on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.fs
from pydantic import SecretStr

from headwater.adapters.embedded.postgres_files import free_port
from headwater.ports.connections import ConnectionInfo

KEY_ID, SECRET_KEY = "AKIDFORTESTS", "s3cr3t-of-the-bucket"


class BucketServer(ABC):
    """A server of objects, whatever its protocol."""

    port: int
    files: pyarrow.fs.FileSystem
    secrets: tuple[str, ...]

    @abstractmethod
    def place(self, bucket: str, prefix: str) -> str:
        """The prefix as connections name it."""

    @abstractmethod
    def connection(self, path: str, **changes: Any) -> ConnectionInfo: ...

    @abstractmethod
    def delta_options(self) -> dict[str, str]:
        """What delta-rs needs to write there."""

    def make_bucket(self) -> str:
        name = f"b{uuid4().hex}"
        self.files.create_dir(name)
        return name

    def put(self, path: str, content: bytes) -> None:
        with self.files.open_output_stream(path) as target:
            target.write(content)

    def clear(self, bucket: str) -> None:
        self.files.delete_dir_contents(bucket)


class S3Server(BucketServer):
    """Where the server listens."""

    secrets = (SECRET_KEY, KEY_ID)

    def __init__(self, port: int) -> None:
        self.port = port
        self.files = pyarrow.fs.S3FileSystem(
            access_key=KEY_ID, secret_key=SECRET_KEY, region="us-east-1", scheme="http",
            endpoint_override=f"127.0.0.1:{port}", allow_bucket_creation=True,
        )  # fmt: skip

    def place(self, bucket: str, prefix: str) -> str:
        return f"s3://{bucket}/{prefix}"

    def delta_options(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}", "AWS_ALLOW_HTTP": "true",
            "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
        }  # fmt: skip

    def connection(self, path: str, **changes: Any) -> ConnectionInfo:
        extra = {"path": path, "endpoint_url": f"http://127.0.0.1:{self.port}", "region_name": "us-east-1"}
        values: dict[str, Any] = {
            "id": "bucket", "kind": "aws", "login": KEY_ID, "password": SecretStr(SECRET_KEY), "extra": extra,
        }  # fmt: skip
        return ConnectionInfo(**(values | changes))


@contextmanager
def serving(**environment: str) -> Iterator[S3Server]:
    """A server, with variables of its own."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | environment
    )
    try:
        await_port(port, process)
        yield S3Server(port)
    finally:
        process.kill()
        process.wait()


def await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not listen within a minute")
