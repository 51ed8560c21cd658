"""Forks each job from a process that has imported what jobs need: ``python -m … LISTENER MODULE`` (ADR 33).

A job needs seconds of imports (pandas, gRPC, Soda) for tenths of a second of work. ``MODULE`` has ``preload()``, called
once, and ``main(arguments)``, called in the process of each job. Nothing imported here may start a thread or open a
connection, because neither survives a fork.

A caller sends one request and holds the connection for as long as it wants the job (``job_process``). Each job has a
watcher, forked before it: it ends the job when the caller's end closes, however that came, and tells how it ended.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from headwater.adapters.spark_connect.driver import die_with_parent

HEADER = struct.Struct(">I")
"""Length of a request in bytes; comes with the descriptors of the job's output and errors."""
Main = Callable[[Sequence[str]], int]


def serve(listener: socket.socket, module: str, connection: socket.socket | None = None) -> None:
    """Start jobs until this process is ended.

    :param module: dotted name of a module with ``preload()`` and ``main(arguments)``.
    :param connection: of a caller whom the process before this one had accepted.
    """
    jobs = importlib.import_module(module)
    jobs.preload()
    loaded = source_times()
    gc.freeze()  # what all jobs share stays shared: a collection in a job would touch, and so copy, every object
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a watcher ended
    while True:
        caller = connection or listener.accept()[0]
        if connection is None and source_times() != loaded:
            _begin_anew(listener, module, caller)
        connection = None
        if os.fork() == 0:
            listener.close()
            _watch(caller, jobs.main)
        caller.close()


def source_times() -> dict[str, int]:
    """File of each imported module -> when it was last changed, in nanoseconds; 0 for one that is gone."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return {file: Path(file).stat().st_mtime_ns if Path(file).exists() else 0 for file in files if file}


def _begin_anew(listener: socket.socket, module: str, caller: socket.socket) -> None:
    """Become a process of the code as it is now, which an editor or an upgrade changed; nobody waits in vain."""
    for kept in (listener, caller):
        kept.set_inheritable(True)
    arguments = [str(listener.fileno()), module, str(caller.fileno())]
    os.execv(sys.executable, [sys.executable, "-P", "-m", __spec__.name, *arguments])  # noqa: S606 - no shell is wanted


def _watch(caller: socket.socket, main: Main) -> None:
    """Start the job, and wait for its end or its caller's. Does not return."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request, output, errors = _received(caller)
    job = os.fork()
    if job == 0:
        caller.close()
        _work(request, output, errors, main)
    os.setpgid(job, job)  # here and there, so that it is true for both
    os.close(output)
    os.close(errors)
    if caller.fileno() in select.select([os.pidfd_open(job), caller.fileno()], [], [])[0]:
        os.killpg(job, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    with contextlib.suppress(OSError):  # nobody may be left to be told
        caller.sendall(json.dumps(status).encode())
    os._exit(0)


def _received(caller: socket.socket) -> tuple[dict[str, Any], int, int]:
    """The request and the descriptors for output and errors; a caller that ended meanwhile ends this process."""
    header, descriptors, *_ = socket.recv_fds(caller, HEADER.size, 2)
    if len(header) < HEADER.size:
        os._exit(1)
    missing, parts = HEADER.unpack(header)[0], list[bytes]()
    while missing:
        part = caller.recv(missing)
        if not part:
            os._exit(1)
        parts.append(part)
        missing -= len(part)
    output, errors = descriptors
    return json.loads(b"".join(parts)), output, errors


def _work(request: dict[str, Any], output: int, errors: int, main: Main) -> None:
    """Be the job: its output, environment and folder, then its work. Does not return."""
    os.setpgid(0, 0)
    die_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor, target in ((output, 1), (errors, 2)):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    tempfile.tempdir = None  # it follows the environment
    status = 1
    try:
        os.chdir(request["folder"])
        status = main(request["arguments"])
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:  # noqa: BLE001 - the end of a process, which says what it died of
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(arguments: Sequence[str]) -> None:
    """Serve on an inherited listener; a third argument is a caller who was accepted before."""
    listener, module, *caller = arguments
    accepted = socket.socket(fileno=int(caller[0])) if caller else None
    serve(socket.socket(fileno=int(listener)), module, accepted)


if __name__ == "__main__":
    main(sys.argv[1:])
