"""The Java process of the server: a Spark driver with the Connect plugin, started as PySpark starts its own.

Not ``SparkConnectServer``: its ``main`` forces artifact isolation on, whatever the properties say, and then every
session compiles every query anew with a class loader that asks over RPC for each class it does not find (ADR 3).
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

from py4j.java_gateway import GatewayParameters, JavaGateway

_POLL_SECONDS = 0.05
_ADDRESS_VARIABLE = "_PYSPARK_DRIVER_CONN_INFO_PATH"
"""Where Spark's gateway writes its port and secret; private to Spark, and what its own Python reads."""

_SET_PARENT_DEATH_SIGNAL = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends; for a ``preexec_fn``."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def start_driver(spark_home: Path, properties: Path, address: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the driver, without a session. spark-submit becomes the Java process, so the id is the driver's.

    :param address: a file that does not exist; the driver says there where it listens for ``begin_serving``.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [
                str(spark_home / "bin" / "spark-submit"),
                "--name",
                "headwater",
                "--properties-file",
                str(properties),
                "pyspark-shell",
            ],
            stdin=subprocess.PIPE,  # it ends when this closes
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=address.parent,
            env={**os.environ, "SPARK_CONNECT_MODE": "0", _ADDRESS_VARIABLE: str(address)},
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs yet
        )


def begin_serving(child: subprocess.Popen[bytes], address: Path) -> None:
    """Make the driver's session, with which its Connect plugin begins to serve; returns at once when it ended.

    :raises py4j.protocol.Py4JJavaError: when Spark refuses its configuration; the driver's log has it, too.
    """
    while not address.exists():
        if child.poll() is not None:
            return
        time.sleep(_POLL_SECONDS)
    told = address.read_bytes()
    address.unlink()
    port, length = struct.unpack(">ii", told[:8])
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=told[8 : 8 + length].decode()))
    try:
        gateway.jvm.org.apache.spark.sql.classic.SparkSession.builder().getOrCreate()
    finally:
        gateway.close()
