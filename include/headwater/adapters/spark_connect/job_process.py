"""A job as its caller holds it: started by the process that forks jobs, ended when its caller lets go."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from headwater.adapters.spark_connect.job_forks import HEADER
from headwater.domain.errors import EngineError

BACKLOG = 64
"""Callers that may wait while the imports are being made."""


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Another name of a file: a socket's may have 107 bytes, and homes lie deep."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """A listener that only this system user can reach, in the place of one that was left behind."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        with short_path(path) as name:
            listener.bind(name)
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    return listener


class JobProcess:
    """One job. Its process ends when this one does, or when ``end`` is called."""

    def __init__(self, path: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start it; its standard output and errors are ``stdout`` and ``stderr``.

        :param path: of the socket.
        :param environ: the whole environment of the job, secrets included: nothing of it is in any command line.
        :raises EngineError: when nobody starts jobs there any more.
        """
        request = {"arguments": list(arguments), "environ": dict(environ), "folder": str(Path.cwd())}
        self._connection = socket.socket(socket.AF_UNIX)
        (read_output, output), (read_errors, errors) = os.pipe(), os.pipe()
        self.stdout = os.fdopen(read_output, errors="replace")
        self.stderr = os.fdopen(read_errors, errors="replace")
        content = json.dumps(request).encode()
        try:
            with short_path(path) as name:
                self._connection.connect(name)
            socket.send_fds(self._connection, [HEADER.pack(len(content))], [output, errors])
            self._connection.sendall(content)
        except OSError as error:
            self.close()
            raise EngineError(
                "the process that starts Spark jobs is gone",
                got=str(error),
                remedy="Run again: it comes back with the server, which starts by itself.",
            ) from error
        finally:
            os.close(output)
            os.close(errors)

    def wait(self) -> int:
        """Exit status; negative for a signal; that of SIGTERM when its watcher or this end of it is gone."""
        try:
            told = self._connection.recv(64)
        except OSError:
            told = b""
        return int(json.loads(told)) if told else -signal.SIGTERM

    def end(self) -> None:
        """Have the job ended, if it still runs."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # its watcher was quicker

    def close(self) -> None:
        """Let go of it, which ends it."""
        for opened in (self._connection, self.stdout, self.stderr):
            opened.close()
