"""The file of connections, as the command line writes it: ``ID=URI`` or ``ID=JSON`` lines only we can read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_COMMENT = "#"


def read_connections(file: Path) -> dict[str, str]:
    """Id -> text of each connection; empty where there is no file. The texts hold secrets."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(_COMMENT))


def write_connections(file: Path, connections: Mapping[str, str]) -> None:
    """Keep these connections; what is not named stays as it is, comments too. A reader never sees half a file."""
    known = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [line for line in known if line.lstrip().startswith(_COMMENT) or line.partition("=")[0] not in connections]
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{line}\n" for line in (*kept, *(f"{name}={uri}" for name, uri in connections.items()))))
    draft.replace(file)
