"""The Spark operator, as its chart makes it of our values: controller and webhook as processes, each by its account.

What a cluster would do for it is done here: certificates as cert-manager gives them, and the webhook's service, which
the API server cannot reach without a network of pods, becomes an address of this machine.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.kubernetes.api_server_under_test import Cluster
from tests.kubernetes.operators.chart import NAMESPACE, Manifest, arguments_of, rendered

from headwater.adapters.embedded.jars import pyspark_home
from headwater.adapters.embedded.java import find_java
from headwater.adapters.embedded.postgres_files import free_port

Found = TypeVar("Found")

PATIENCE_SECONDS = 120.0


@dataclass
class SparkOperator:
    """What the chart made, and where the running operator tells its metrics."""

    manifests: list[Manifest]
    metrics_port: int
    folder: Path

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def log(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))


def wait_for(look: Callable[[], Found | None], operator: SparkOperator, what: str) -> Found:
    """What somebody else brings about, or what the operator said when it does not."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert time.monotonic() < until, f"{what}\n{operator.log()}"
        time.sleep(0.2)
    return found


@contextmanager
def operating(binaries: Path, cluster: Cluster, environment: str, folder: Path) -> Iterator[SparkOperator]:
    """The operator at work on the cluster; its processes are gone afterwards."""
    webhook, metrics = free_port(), free_port()
    manifests = rendered(binaries, environment)
    operator = SparkOperator(manifests, metrics, folder)
    certificate = _certificate()
    reachable = [_reachable(item, certificate["ca.crt"], webhook) for item in manifests]
    cluster.apply([*reachable, _secret(certificate)], dry=False)
    own = {
        "controller": [f"--metrics-bind-address=127.0.0.1:{metrics}"],
        "webhook": [
            f"--metrics-bind-address=127.0.0.1:{free_port()}", f"--webhook-port={webhook}",
            f"--webhook-cert-dir={folder}", "--enable-cert-manager=true",
        ],
    }  # fmt: skip
    started: list[subprocess.Popen[bytes]] = []
    try:
        for part, arguments in own.items():
            port = free_port()
            command = [str(binaries / "spark-operator"), *arguments_of(manifests, part), *arguments]
            command.append(f"--health-probe-bind-address=127.0.0.1:{port}")
            with (folder / f"{part}.log").open("wb") as log:
                environ = _environment(cluster.signed_in(f"{NAMESPACE}/spark-operator-{part}", folder), folder)
                started.append(subprocess.Popen(command, stdout=log, stderr=log, env=environ, cwd=folder))
            wait_for(partial(_is_ready, port), operator, f"the {part} is not ready")
        yield operator
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def _reachable(item: Manifest, authority: bytes, port: int) -> Manifest:
    for webhook in item.get("webhooks", ()):
        client = webhook["clientConfig"]
        path = client.pop("service")["path"]
        client["url"] = f"https://127.0.0.1:{port}{path}"
        client["caBundle"] = base64.b64encode(authority).decode()
    return item


def _certificate() -> dict[str, bytes]:
    """One for this machine, of RSA as the operator reads it, that vouches for itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")]), datetime.now(UTC)
    until, serial = now + timedelta(days=1), x509.random_serial_number()
    draft = x509.CertificateBuilder(name, name, key.public_key(), serial, now - timedelta(hours=1), until)
    draft = draft.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    text = draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    return {"ca.crt": text, "tls.crt": text, "tls.key": key.private_bytes(serialization.Encoding.PEM, *form)}


def _secret(certificate: dict[str, bytes]) -> Manifest:
    data = {name: base64.b64encode(content).decode() for name, content in certificate.items()}
    meta = {"name": "spark-operator-webhook-certs", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls", "data": data}


def _environment(config: Path, folder: Path) -> dict[str, str]:
    """Of the operator's image: Spark, Java and where the API server is. No credential of this machine's."""
    server = json.loads(config.read_text())["clusters"][0]["cluster"]["server"]
    host, _, port = server.removeprefix("https://").partition(":")
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": str(config),
        "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port,
        "SPARK_HOME": str(pyspark_home()), "JAVA_HOME": str(find_java(folder / "java").path),
    }  # fmt: skip


def _is_ready(port: int) -> bool | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return True if answer.status == 200 else None
    except OSError:
        return None
