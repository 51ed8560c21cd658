"""Reads and writes the environment profile: one YAML file that says where an installation keeps its stores."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

import yaml
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from headwater.domain.errors import Location, SpecError
from headwater.domain.settings import Settings

PROFILE_VARIABLE = "HEADWATER_PROFILE"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def repository_root(environ: Mapping[str, str] = os.environ, start: Path | None = None) -> Path:
    """``$HEADWATER_REPOSITORY``, else the nearest folder upwards that holds ``dags/``.

    :raises SpecError: when neither is there.
    """
    named = environ.get("HEADWATER_REPOSITORY")
    if named:
        return Path(named).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dags").is_dir():
            return folder
    remedy = "Change to the repository, or set HEADWATER_REPOSITORY to its folder."
    raise SpecError("No folder from here upwards holds dags/.", got=str(here), remedy=remedy)


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """``$HEADWATER_HOME``, else ``.headwater`` in the repository."""
    named = environ.get("HEADWATER_HOME")
    return Path(named).resolve() if named else repository_root(environ) / ".headwater"


def profile_path(environ: Mapping[str, str] = os.environ) -> Path:
    """``$HEADWATER_PROFILE``, else ``profile.yaml`` in the home folder."""
    named = environ.get(PROFILE_VARIABLE)
    return Path(named).resolve() if named else home_folder(environ) / "profile.yaml"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The resolved profile: ``${NAME}`` in any text stands for that environment variable.

    :raises SpecError: naming file, line and key of an unknown key, a wrong value or a variable that is not set.
    """
    path = profile_path(environ)
    try:
        text = path.read_text()
    except FileNotFoundError:
        remedy = f"Run `make demo`, or write a profile and name it in {PROFILE_VARIABLE}."
        raise SpecError("There is no profile.", where=Location.of(path), remedy=remedy) from None
    lines: dict[str, int] = {}
    content = _compose(path, text, lines, environ)
    content.setdefault("home", str(home_folder(environ)))
    content.setdefault("repository", str(repository_root(environ)))
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise _explain(path, lines, error.errors(include_url=False, include_input=False)[0]) from None


def turn_in_force(environ: Mapping[str, str] = os.environ) -> timedelta | None:
    """``maintenance.turn`` of the profile; None where there is none, as where files are only checked.

    :raises SpecError: as ``load_settings``.
    """
    return load_settings(environ).maintenance.turn if profile_path(environ).exists() else None


def write_profile(settings: Settings, path: Path) -> None:
    """Write a profile only we can read, secrets included, in one step: a reader never sees half a file."""
    content = settings.model_dump(mode="json", exclude_defaults=True, context={})
    _reveal(content, settings.model_dump(exclude_defaults=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(yaml.safe_dump(content, sort_keys=False))
    draft.replace(path)


def _reveal(content: dict[str, object], values: Mapping[str, object]) -> None:
    for key, value in values.items():
        inner = content[key]
        if isinstance(value, SecretStr):
            content[key] = value.get_secret_value()
        elif isinstance(value, dict) and isinstance(inner, dict):
            _reveal(inner, value)


def _compose(path: Path, text: str, lines: dict[str, int], environ: Mapping[str, str]) -> dict[str, object]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SpecError("The profile is not YAML.", where=Location.of(path, line), got=error.problem) from None
    content = _value(path, node, "", lines, environ) if node is not None else {}
    if not isinstance(content, dict):
        raise SpecError("A profile is a mapping.", where=Location.of(path, 1))
    return content


def _value(path: Path, node: yaml.Node, key: str, lines: dict[str, int], environ: Mapping[str, str]) -> object:
    lines[key] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, object] = {}
        for name, value in node.value:
            if name.value in found:
                where = Location.of(path, name.start_mark.line + 1, f"{key}{name.value}")
                raise SpecError("A key is written twice.", where=where)
            found[name.value] = _value(path, value, f"{key}{name.value}.", lines, environ)
            lines[f"{key}{name.value}."] = name.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, item, f"{key}{at}.", lines, environ) for at, item in enumerate(node.value)]
    plain = yaml.SafeLoader("").construct_object(node)
    return _resolved(path, plain, key, lines, environ) if isinstance(plain, str) else plain


def _resolved(path: Path, text: str, key: str, lines: dict[str, int], environ: Mapping[str, str]) -> str:
    for name in _REFERENCE.findall(text):
        if name not in environ:
            where = Location.of(path, lines[key], key.rstrip("."))
            raise SpecError("An environment variable is not set.", where=where, got=f"${{{name}}}")
    return _REFERENCE.sub(lambda found: environ[found[1]], text)


def _explain(path: Path, lines: Mapping[str, int], error: ErrorDetails) -> SpecError:
    parts = [str(part) for part in error["loc"]]
    known = next((lines[key] for n in range(len(parts), -1, -1) if (key := _dotted(parts[:n])) in lines), None)
    fields = _fields(Settings, parts[:-1])
    allowed = ", ".join(sorted(fields)) if error["type"] == "extra_forbidden" else None
    return SpecError(error["msg"], where=Location.of(path, known, ".".join(parts)), allowed=allowed)


def _fields(kind: object, path: Sequence[str]) -> Mapping[str, FieldInfo]:
    """The keys below a path, through mappings and what may be left out; none where nobody can tell."""
    for name in path:
        known = getattr(kind, "model_fields", None)
        if known is None:
            kind = next(_folded(get_args(kind)), None)
        else:
            kind = next(_folded((known[name].annotation,)), None) if name in known else None
    return getattr(kind, "model_fields", {})


def _folded(kinds: Iterable[object]) -> Iterator[object]:
    """Of these types and the members of their unions, those that have keys."""
    for kind in kinds:
        if get_origin(kind) in {Union, UnionType}:
            yield from _folded(get_args(kind))
        elif hasattr(kind, "model_fields") or get_origin(kind) is dict:
            yield kind


def _dotted(parts: list[str]) -> str:
    return "".join(f"{part}." for part in parts)
