"""Where the files of a repository lie. Every path is computed from checked names, never joined from free text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from headwater.domain.errors import Location, SpecError
from headwater.domain.names import Layer, TableName
from headwater.model.yaml_guards import readable_text

SOURCES, PRODUCTS = "dags/sources", "dags/products"
FIXTURES = "tests/sources"
YAML_SUFFIXES = (".yaml", ".yml")


def checked_name(layer: Layer, source: str, table: str) -> TableName:
    """The name of a table whose parts were checked when they were read: a DAG parse makes a dozen per file."""
    return TableName.model_construct(layer=layer, source=source, table=table)


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one repository by what they are for."""

    root: Path

    def sql(self, table: TableName) -> Path:
        """The SELECT of a silver or gold table."""
        return Path(self.sql_path(table))

    def contract(self, table: TableName) -> Path:
        """The Soda contract of a table."""
        return Path(self.contract_path(table))

    def fixtures(self, table: TableName) -> Path:
        """The given/expect tests of a transform."""
        return Path(self.fixtures_path(table))

    # As text, for a DAG parse, which only looks whether they are there: making a Path costs more than the look.
    def sql_path(self, table: TableName) -> str:
        """Path of ``sql`` as text."""
        return f"{self.root}/sql/{table.layer.value}/{table.source}/{table.table}.sql"

    def contract_path(self, table: TableName) -> str:
        """Path of ``contract`` as text."""
        return f"{self.root}/include/contracts/{table.layer.value}/{table.source}/{table.table}.yml"

    def fixtures_path(self, table: TableName) -> str:
        """Path of ``fixtures`` as text."""
        return f"{self.root}/{FIXTURES}/{table.source}/{table.table}.yml"

    def source_files(self) -> list[Path]:
        """YAML files of sources, by name."""
        return _yaml_files(self.root / SOURCES)

    def product_files(self) -> list[Path]:
        """YAML files of products, by name."""
        return _yaml_files(self.root / PRODUCTS)

    def twin(self, file: Path) -> Path | None:
        """Another YAML file that claims the name of ``file``, or None."""
        names = (f"{self.root}/{folder}/{file.stem}{end}" for folder in (SOURCES, PRODUCTS) for end in YAML_SUFFIXES)
        return next((Path(name) for name in names if os.path.exists(name) and Path(name) != file), None)  # noqa: PTH110

    def display(self, path: Path) -> str:
        """How errors name a file: relative to the repository where it lies inside."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def text(self, path: Path) -> str:
        """Text of a file beside the YAML. :raises SpecError: when it cannot be read, is too large or not UTF-8."""
        display = self.display(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SpecError(f"the file cannot be read: {error.strerror}", Location(display)) from error
        return readable_text(content, display, templates=True)

    def is_product(self, path: Path) -> bool:
        """Whether the file lies in the folder of products."""
        return path.parent.name == "products"


def _yaml_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in YAML_SUFFIXES)
