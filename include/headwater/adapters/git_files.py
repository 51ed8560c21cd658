"""The files of a repository as a commit has them."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headwater.domain.errors import RequestError

FOLDERS = ("dags", "sql", "include/contracts", "tests/sources")
"""What a pipeline is declared in."""
_TIMEOUT_SECONDS = 60


@contextmanager
def files_at(root: Path, ref: str) -> Iterator[Path]:
    """A folder with the declaring files of ``root`` as commit, branch or tag ``ref`` has them; gone with the block.

    :raises RequestError: when there is no such commit, or no Git repository.
    """
    commit = _git(root, ref, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    sha = commit.decode().strip()
    known = _git(root, ref, "ls-tree", "-d", "--name-only", sha, *FOLDERS).decode().splitlines()
    with tempfile.TemporaryDirectory(prefix="headwater-against-") as folder:
        if known:
            archive = _git(root, ref, "archive", "--format=tar", sha, "--", *known)
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                files.extractall(folder, filter="data")
        yield Path(folder)


def _git(root: Path, ref: str, *arguments: str) -> bytes:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS)
    except FileNotFoundError as error:
        raise RequestError("Git is not installed.", remedy="Install git, or compare with `stored`.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RequestError("There is no such commit to compare with.", got=f"{ref}: {said}"[:300].rstrip(": "),
                           allowed="a commit, branch or tag of this repository, or `stored`")  # fmt: skip
    return done.stdout
