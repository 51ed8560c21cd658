"""The Git repository that a demo is deployed to by push: bare, beside the demo's other state, reached by path."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headwater.domain.errors import StackError

BRANCH = "main"
SERVED = ("dags", "include/contracts", "include/runbooks", "sql", "tests/sources")
"""What a Git bundle brings; the code is the installed distribution's (rule 43)."""
_TIMEOUT_SECONDS = 60
# nobody's own settings: a signing key or a hook of the person at the keyboard has no part in this
_SETTINGS = {
    "user.name": "Headwater demo",
    "user.email": "demo@localhost",
    "commit.gpgsign": "false",
    "core.hooksPath": os.devnull,
    "init.defaultBranch": BRANCH,
}


@dataclass(frozen=True)
class Checkout:
    """A clone to change and push."""

    folder: Path

    def push(self, message: str, files: Mapping[str, str | None]) -> str:
        """Write files (None: remove), commit and push them; returns the commit.

        :raises StackError: when Git refuses.
        """
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        _git(self.folder, "add", "--all")
        _git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        _git(self.folder, "push", "--quiet", "origin", f"HEAD:{BRANCH}")
        return _git(self.folder, "rev-parse", "HEAD")


class BareRepository:
    """A bare repository with at least one commit, so that Airflow can serve it from the start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def is_possible() -> bool:
        """Whether Git is installed; without it Airflow cannot even load its Git bundle."""
        return shutil.which("git") is not None

    def ensure(self) -> None:
        """Make it where it is missing. :raises StackError: when Git refuses."""
        if (self.folder / "refs" / "heads" / BRANCH).exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        _git(self.folder, "init", "--quiet", "--bare")
        with self.checkout() as checkout:
            checkout.push("An empty repository of sources", {"dags/README.md": "Sources arrive here by push.\n"})

    @contextmanager
    def checkout(self) -> Iterator[Checkout]:
        """A fresh clone, gone with the block. :raises StackError: when Git refuses."""
        with tempfile.TemporaryDirectory(prefix="headwater-push-") as scratch:
            folder = Path(scratch) / "clone"
            _git(Path(scratch), "clone", "--quiet", str(self.folder), str(folder))
            yield Checkout(folder)


def _git(folder: Path, *arguments: str) -> str:
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    # what a hook that calls us has set names its own repository
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *settings, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except FileNotFoundError as error:
        raise StackError("Git is not installed.", remedy="Install git and start the demo again.") from error
    if done.returncode:
        raise StackError(f"git {arguments[0]} failed in {folder}.", got=done.stderr.strip()[-300:])
    return done.stdout.strip()
