"""Where everything of the node is, in the network namespace that ``deploy/node/inside`` made: nothing else is in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

API = "10.0.0.1"
"""Of the service `kubernetes`; the API server itself listens there, so that nobody has to translate addresses."""
DNS = "10.0.0.10"
NODE = "10.64.0.1"
PODS = "10.244.0.0/24"
STATE = Path("/run/node")
"""A folder in memory; sockets and whatever only this node needs."""

BRIDGE = f"""{{
  "cniVersion": "1.0.0", "name": "pods",
  "plugins": [{{
    "type": "bridge", "bridge": "pods0", "isDefaultGateway": true, "hairpinMode": true,
    "ipam": {{"type": "host-local", "ranges": [[{{"subnet": "{PODS}"}}]], "dataDir": "{STATE}/addresses"}}
  }}]
}}"""


def make_network() -> Path:
    """Give the node its addresses; returns the folder that says how pods get theirs."""
    for address in (API, DNS, NODE):
        subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)
    folder = STATE / "cni"
    folder.mkdir(parents=True)
    (folder / "pods.conflist").write_text(BRIDGE)
    return folder
