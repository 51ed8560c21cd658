"""A real API server with its etcd, and kubectl for it. No controller and no node: nothing runs by them alone."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from headwater.adapters.embedded.postgres_files import free_port

Manifest = dict[str, Any]


class RefusedError(Exception):
    """What the API server, or kubectl before it, said."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API server listens.

    :param address: that clients ask.
    :param port: None means any free one of loopback.
    :param options: more of the server's own.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    options: tuple[str, ...] = ("--bind-address=127.0.0.1",)


LOOPBACK = Place()


class Cluster:
    """kubectl as whom the cluster belongs to."""

    def __init__(self, config: Path) -> None:
        self._config = config

    @property
    def config(self) -> Path:
        """Of the owner, who may do everything."""
        return self._config

    def kubectl(self, *arguments: str, given: str = "", refused_is_fine: bool = False) -> str:
        """:raises RefusedError: with its words."""
        cache = self._config.with_name("cache")
        command = ["kubectl", f"--kubeconfig={self._config}", f"--cache-dir={cache}", *arguments]
        told = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=120)
        if told.returncode != 0 and not refused_is_fine:
            raise RefusedError(told.stderr.strip()[-3000:])
        return told.stdout

    def apply(self, manifests: list[Manifest], *, dry: bool) -> str:
        """Server-side, each field known; a warning counts as a refusal."""
        how = ["--dry-run=server"] if dry else []
        arguments = ("--server-side", "--validate=strict", "--warnings-as-errors", *how, "--filename=-")
        return self.kubectl("apply", *arguments, given=yaml.safe_dump_all(manifests))

    def may(self, account: str, verb: str, resource: str, namespace: str) -> bool:
        """Whether ``namespace/name`` of a service account may do this there."""
        who = f"system:serviceaccount:{account.replace('/', ':')}"
        # what follows a slash would be taken for a name
        whole, _, part = resource.partition("/")
        asked = ("auth", "can-i", verb, whole, f"--subresource={part}", f"--namespace={namespace}", f"--as={who}")
        return self.kubectl(*asked, refused_is_fine=True).strip() == "yes"

    def signed_in(self, account: str, folder: Path) -> Path:
        """A configuration in the folder, with which a process is the service account ``namespace/name``."""
        namespace, _, name = account.partition("/")
        config = json.loads(self._config.read_text())
        config["users"][0]["user"] = {
            "token": self.kubectl("create", "token", name, f"--namespace={namespace}").strip()
        }
        path = folder / f"{name}.yaml"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path


@contextmanager
def serving(binaries: Path, folder: Path, at: Place = LOOPBACK) -> Iterator[Cluster]:
    """An empty cluster; its processes are gone afterwards."""
    etcd, port = free_port(), at.port or free_port()
    token, key = uuid4().hex, folder / "accounts.key"
    key.touch(mode=0o600)
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key.write_bytes(made.private_bytes(serialization.Encoding.PEM, *form))
    tokens = folder / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},owner,1,system:masters\n")
    started: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "log").open("wb") as log:
            started.append(subprocess.Popen(_etcd(binaries, folder, etcd), stdout=log, stderr=log))
            started.append(subprocess.Popen(_server(binaries, folder, etcd, port, at), stdout=log, stderr=log))
        url = f"https://{at.address}:{port}"
        _await(url, token, started, folder / "log")
        yield Cluster(_client(folder, url, token))
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _etcd(binaries: Path, folder: Path, port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    return [
        str(binaries / "etcd"), f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}", "--unsafe-no-fsync", "--log-level=error",
        # a busy machine is no lost leader
        "--heartbeat-interval=500", "--election-timeout=5000",
    ]  # fmt: skip


def _server(binaries: Path, folder: Path, etcd: int, port: int, at: Place) -> list[str]:
    key = folder / "accounts.key"
    return [
        str(binaries / "kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{etcd}", *at.options,
        f"--secure-port={port}", f"--cert-dir={folder / 'certificates'}", f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none",
        "--service-account-issuer=https://tests", f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
    ]  # fmt: skip


def _client(folder: Path, url: str, token: str) -> Path:
    path = folder / "client.yaml"
    path.touch(mode=0o600)
    place = {"server": url, "certificate-authority": str(certificate(folder))}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "tests",
        "clusters": [{"name": "tests", "cluster": place}], "users": [{"name": "owner", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "owner"}}],
    }  # fmt: skip
    path.write_text(json.dumps(config))
    return path


def certificate(folder: Path) -> Path:
    """What vouches for the API server of this folder."""
    return folder / "certificates" / "apiserver.crt"


def _await(url: str, token: str, started: list[subprocess.Popen[bytes]], log: Path) -> None:
    until = time.monotonic() + 90
    request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    while True:
        assert all(process.poll() is None for process in started), log.read_text()[-3000:]
        assert time.monotonic() < until, log.read_text()[-3000:]
        try:
            trusting = ssl.create_default_context(cafile=str(certificate(log.parent)))
            with urllib.request.urlopen(request, context=trusting, timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
