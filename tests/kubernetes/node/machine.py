"""One node: containerd with runc, a real kubelet, and what a control plane has beside its API server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml
from tests.kubernetes.api_server_under_test import Cluster, Place, certificate, serving
from tests.kubernetes.node.network import API, DNS, NODE, STATE, make_network
from tests.kubernetes.node.processes import Processes, processes

NAME = "node"
PAUSE = "localhost/headwater-pause:latest"
CONTAINERD = STATE / "containerd.sock"
ADDRESSED = Place(
    API, 443, ("--bind-address=0.0.0.0", f"--advertise-address={NODE}", "--kubelet-preferred-address-types=InternalIP")
)

_CONTAINERD = f"""
version = 2
root = "{{root}}"
state = "{STATE}/containers"
[grpc]
  address = "{CONTAINERD}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{STATE}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # a root without CAP_SYS_RESOURCE, as in many virtual machines, may protect nobody from the memory's killer
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{{cni}}"
"""
_COREFILE = f""".:53 {{{{
  bind {DNS}
  errors
  kubernetes cluster.local {{{{
    kubeconfig {{config}}
  }}}}
}}}}
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A cluster of one node that runs pods."""

    cluster: Cluster
    processes: Processes


@contextmanager
def running(servers: Path, binaries: Path, images: Path, folder: Path) -> Iterator[Node]:
    """A node that is ready.

    :param servers: API server and etcd (``deploy/api-server/build``).
    :param binaries: everything else (``deploy/node/build``).
    :param images: archives of images; containerd keeps what it unpacked beside them.
    """
    cni = make_network()
    with serving(servers, folder, ADDRESSED) as cluster, processes(folder) as started:
        _start_containerd(started, images / "containerd", cni)
        for archive in sorted(images.glob("*.tar")):
            _import(archive)
        for name, arguments in _control(cluster, folder).items():
            started.start(name, [str(binaries / name), *arguments])
        started.start("kubelet", [str(binaries / "kubelet"), *_kubelet(cluster, folder)])
        started.wait_for(partial(_is_ready, cluster), "the node is not ready")
        yield Node(cluster, started)


def _start_containerd(started: Processes, root: Path, cni: Path) -> None:
    config = STATE / "containerd.toml"
    config.write_text(_CONTAINERD.format(root=root, cni=cni))
    started.start("containerd", ["containerd", f"--config={config}"])
    started.wait_for(lambda: True if CONTAINERD.exists() else None, "containerd does not come up")
    # of a node that is no more, which ended without taking them away
    for container in _ctr("containers", "list", "--quiet").split():
        _ctr("containers", "delete", container)


def _import(archive: Path) -> None:
    """Let containerd know an image, unless it does already."""
    image = f"localhost/{archive.stem}:latest"
    mark = archive.with_suffix(".imported")
    if (
        image in _ctr("images", "list", "--quiet").split()
        and mark.exists()
        and mark.stat().st_mtime > archive.stat().st_mtime
    ):
        return
    _ctr("images", "import", str(archive))
    mark.touch()


def _ctr(*arguments: str) -> str:
    command = ["ctr", f"--address={CONTAINERD}", "--namespace=k8s.io", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _control(cluster: Cluster, folder: Path) -> dict[str, list[str]]:
    corefile = STATE / "Corefile"
    corefile.write_text(_COREFILE.format(config=cluster.config))
    config = f"--kubeconfig={cluster.config}"
    return {
        "kube-scheduler": [config, "--leader-elect=false", "--bind-address=127.0.0.1"],
        "kube-controller-manager": [
            config, "--leader-elect=false", "--bind-address=127.0.0.1", f"--root-ca-file={certificate(folder)}",
            f"--service-account-private-key-file={folder / 'accounts.key'}",
        ],
        "coredns": [f"-conf={corefile}"],
    }  # fmt: skip


def _kubelet(cluster: Cluster, folder: Path) -> list[str]:
    config = STATE / "kubelet.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "address": NODE,
                # nobody but the API server and our own pods can reach it
                "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
                "authorization": {"mode": "AlwaysAllow"},
                "cgroupDriver": "cgroupfs",
                "cgroupRoot": f"/{os.environ['HEADWATER_CGROUP']}",
                "failCgroupV1": False,
                "failSwapOn": False,
                "clusterDNS": [DNS],
                "clusterDomain": "cluster.local",
                "resolvConf": "",
                "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
                # the disk is others' too: however full it is, no pod goes for it and no image
                "evictionHard": {"memory.available": "100Mi"},
                "imageGCHighThresholdPercent": 100,
                "makeIPTablesUtilChains": False,
                "volumePluginDir": str(STATE / "plugins"),
            }
        )
    )
    return [
        f"--config={config}", f"--kubeconfig={cluster.config}", f"--hostname-override={NAME}", f"--node-ip={NODE}",
        f"--cert-dir={folder / 'kubelet'}",
    ]  # fmt: skip


def _is_ready(cluster: Cluster) -> bool | None:
    text = cluster.kubectl("get", "node", NAME, "--output=json", refused_is_fine=True)
    conditions = json.loads(text)["status"].get("conditions", ()) if text else ()
    return True if any((item["type"], item["status"]) == ("Ready", "True") for item in conditions) else None
