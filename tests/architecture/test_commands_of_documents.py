"""What documents tell people to type and to set exists: targets, commands, options, files, keys, variables."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from headwater.cli.main import app
from headwater.domain.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "include/runbooks").glob("*.md")),
]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
MAKE = re.compile(r"(?:^|[\s;&|(])make ([a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*(?![\w=]))*)")
HEADWATER = re.compile(r"(?:^|(?<!-n)[\s;&|(])headwater ([a-z][^;&|#)>]*)")
OURS = re.compile(
    r"(?<![\w/.-])(?:benchmarks|deploy|docs|helm-values|image|monitoring|plugins|spark_jobs|include/headwater|"
    r"include/runbooks|tests(?!/sources))/[\w/.<>*-]+"
)
DOTTED = re.compile(r"[a-zA-Z]\w*(?:\.\w+)+(?=$|:)")
NO_KEYS = re.compile(r".*\.ya?ml$|spark\.(authenticate|network\.)")
"""Files, and properties that a cluster of Spark has in its own configuration."""
VARIABLE = re.compile(r"\bHEADWATER_[A-Z0-9_]*[A-Z0-9]\b")


def _name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def _code(document: Path) -> Iterator[str]:
    """Lines of code blocks without their comments, a line that goes on in one piece, and spans of code in the text."""
    text = document.read_text()
    for _, block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield re.sub(r"(^| )#.*", "", line).strip().removeprefix("$ ")
    for span in SPAN.findall(FENCE.sub("", text)):
        yield re.sub(r"\s+", " ", span)


@cache
def _targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def _root() -> Any:
    return typer.main.get_command(app)


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the rest of them."""
    command = _root()
    while words and (commands := getattr(command, "commands", None)):
        if words[0] not in commands:
            return None, words
        command, words = commands[words[0]], words[1:]
    return command, words


def unknown_words(line: str) -> list[str]:
    """Of the commands of ``make`` and ``headwater`` in a line of code: what there is not."""
    named = [word for words in MAKE.findall(line) for word in words.split()]
    unknown = [f"make {word}" for word in named if word not in _targets()]
    for said in HEADWATER.findall(line):
        words = [word.strip("\"'") for word in said.split()]
        command, rest = _command(words)
        if command is None:
            unknown.append(f"headwater {' '.join(words[:2])}")
            continue
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        options = [word.partition("=")[0] for word in rest if word.startswith("--")]
        unknown += [f"{command.name} {option}" for option in options if option not in {*known, "--help", "--"}]
    return unknown


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_targets_commands_and_options_exist(document: Path) -> None:
    assert [word for line in _code(document) for word in unknown_words(line)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_files_of_ours_exist(document: Path) -> None:
    # a Deployment is deploy/<name> to kubectl
    found = ((line, path) for line in _code(document) for path in OURS.findall(line))
    named = {path.rstrip("./") for line, path in found if "kubectl" not in line or Path(path).suffix}
    patterns = {path.replace("<env>", env) for path in named for env in ("dev", "prod")}
    plain = {re.sub(r"<\w+>", "*", path) for path in patterns}
    assert sorted(path for path in plain if not any(ROOT.glob(path))) == []


def test_deploy_names_every_file_in_which_an_address_is_an_example() -> None:
    guide = (ROOT / "docs/operations/deploy.md").read_text()
    named = {path.replace("<env>", env) for path in OURS.findall(guide) for env in ("dev", "prod")}
    told = {file for path in named for file in ROOT.glob(path)}
    files = [file for folder in ("helm-values", "deploy") for file in (ROOT / folder).rglob("*.yaml")]
    examples = [file for file in files if "example.com" in file.read_text()]
    assert examples
    assert [_name(file) for file in examples if file not in told] == []


@cache
def _variables() -> frozenset[str]:
    folders = ("include", "plugins", "spark_jobs", "dags", "deploy", "helm-values", "image", "tests", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [ROOT / "Makefile", ROOT / "Dockerfile"]
    kept = (path for path in files if path.suffix in {"", ".py", ".yaml", ".yml", ".sh"} and path != Path(__file__))
    return frozenset(name for path in kept for name in VARIABLE.findall(path.read_text(errors="ignore")))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_variables_of_ours_are_read_somewhere(document: Path) -> None:
    assert sorted(set(VARIABLE.findall(document.read_text())) - _variables()) == []


@cache
def _trees() -> tuple[Mapping[str, Any], ...]:
    """The keys of charts, and those of the profile, each as a schema of JSON."""
    files = sorted((ROOT / "helm-values/keys").glob("*.json"))
    return (*(json.loads(file.read_text()) for file in files), Settings.model_json_schema())


def _has(node: Mapping[str, Any], keys: list[str], root: Mapping[str, Any]) -> bool:
    """Whether a schema has that path of keys, or is open where it goes on."""
    if "$ref" in node:
        return _has(root["$defs"][node["$ref"].rpartition("/")[2]], keys, root)
    if "anyOf" in node:
        return any(_has(choice, keys, root) for choice in node["anyOf"])
    properties = node.get("properties")
    if not keys or properties is None:
        return not keys or node.get("type", "object") == "object"
    if keys[0] in properties:
        return _has(properties[keys[0]], keys[1:], root)
    return node.get("additionalProperties", True) is not False


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path.parent.name == "operations"], ids=_name)
def test_keys_of_values_and_profile_exist(document: Path) -> None:
    """A span like `scheduler.replicas: 3`, whose first word is a key of a chart or of the profile."""
    said = {found[0] for span in SPAN.findall(FENCE.sub("", document.read_text())) if (found := DOTTED.match(span))}
    unknown = []
    for path in sorted(said):
        if NO_KEYS.match(path):
            continue
        keys = path.split(".")
        trees = [tree for tree in _trees() if keys[0] in tree["properties"]]
        if trees and not any(_has(tree, keys, tree) for tree in trees):
            unknown.append(path)
    assert unknown == []


@cache
def _options_of_airflow() -> dict[str, set[str]]:
    found = importlib.util.find_spec("airflow")
    assert found is not None
    assert found.origin is not None
    sections = yaml.safe_load((Path(found.origin).parent / "config_templates/config.yml").read_text())
    return {name: set(section["options"]) for name, section in sections.items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_options_of_airflow_exist(document: Path) -> None:
    known, unknown = _options_of_airflow(), []
    for language, block in FENCE.findall(document.read_text()):
        if language != "ini":
            continue
        read = configparser.RawConfigParser()
        read.read_string(block)
        unknown += [f"{name}.{key}" for name in read.sections() for key in read[name] if key not in known.get(name, ())]
    assert unknown == []


def test_what_does_not_exist_is_found() -> None:
    line = "make demo-pusch; uv run headwater maintian x && headwater backup --keeep 3 && headwater demo serve --help"
    assert unknown_words(line) == ["make demo-pusch", "headwater maintian x", "backup --keeep"]
