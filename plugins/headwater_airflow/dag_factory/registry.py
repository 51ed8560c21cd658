"""The loop over the YAML files, and what becomes of a file that is wrong.

Airflow marks every DAG of a Python file as broken when that file has an import error, so one wrong YAML must not
raise where its neighbours are made. ``sources.py`` and ``products.py`` leave wrong files out; ``refused.py`` makes
no DAG and raises for all of them together, which is what Airflow's page of import errors shows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from airflow.sdk import DAG, get_parsing_context

from headwater.domain.errors import SpecError
from headwater.domain.names import RECONCILE_SUFFIX, is_name, pipeline_of
from headwater.domain.spec import PipelineSpec, SourceSpec
from headwater.model.layout import PRODUCTS, SOURCES, YAML_SUFFIXES, Layout
from headwater.model.repository import load_pipeline
from headwater_airflow.dag_factory.names import check_name, check_version
from headwater_airflow.dag_factory.pipeline import build_dag
from headwater_airflow.dag_factory.reconciling import build_reconcile_dag

log = logging.getLogger(__name__)

Made = TypeVar("Made")
READ_TOGETHER = 50
"""Files read in a row before their DAGs are made: a DAG in between empties the processor's caches, and reading the
next file then takes three times as long. Bounded, so that ten thousand specs are never held at once.
"""


def register_sources(module: dict[str, object], repository: Path, requires: str) -> None:
    """Put the DAG of every file in ``dags/sources`` into the calling module.

    :param repository: root of the repository: the folder that holds ``dags/``.
    :param requires: the range of Headwater versions the repository is written for, such as ``>=0.1,<0.2``.
    :raises SpecError: when the installed version is outside ``requires``, or, at task start, when the file of the
        one DAG that is wanted is wrong.
    """
    _register(module, Layout(repository), SOURCES, requires)


def register_products(module: dict[str, object], repository: Path, requires: str) -> None:
    """Put the DAG of every file in ``dags/products`` into the calling module; otherwise as ``register_sources``."""
    _register(module, Layout(repository), PRODUCTS, requires)


def refuse_broken_files(repository: Path) -> None:
    """Raise once for all files that give no DAG, each with file, line, key, what it got and what is allowed.

    Does nothing at task start: then Airflow wants one DAG, and the calling file has none.

    :raises SpecError: naming every wrong file.
    """
    if get_parsing_context().dag_id is not None:
        return
    layout = Layout(repository)
    refusals = [text for file in (*layout.source_files(), *layout.product_files()) if (text := _refusal(layout, file))]
    if refusals:
        count = "1 file gives" if len(refusals) == 1 else f"{len(refusals)} files give"
        raise SpecError(f"{count} no DAG; every other DAG is loaded\n\n" + "\n\n".join(refusals))


def _register(module: dict[str, object], layout: Layout, folder: str, requires: str) -> None:
    check_version(requires)
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        for file in _files_named(layout.root / folder, pipeline_of(wanted)):
            module.update(_dags(layout, file, _spec(layout, file), wanted))
        return
    files = layout.source_files() if folder == SOURCES else layout.product_files()
    for first in range(0, len(files), READ_TOGETHER):
        specs = {file: _tried(layout, file, partial(_spec, layout, file)) for file in files[first:][:READ_TOGETHER]}
        for file, spec in specs.items():
            dags = _tried(layout, file, partial(_dags, layout, file, spec)) if spec is not None else None
            module.update(dags or {})


def _tried(layout: Layout, file: Path, work: Callable[[], Made]) -> Made | None:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, its neighbours load
        log.warning("%s gives no DAG: %s", layout.display(file), error)
        return None


def _files_named(folder: Path, dag_id: str) -> list[Path]:
    if not is_name(dag_id):
        return []
    files = (folder / f"{dag_id}{suffix}" for suffix in YAML_SUFFIXES)
    return [file for file in files if file.is_file()]


def _spec(layout: Layout, file: Path) -> PipelineSpec:
    check_name(layout, file)
    return load_pipeline(layout.root, file, deep=False)


def _dags(layout: Layout, file: Path, spec: PipelineSpec, wanted: str | None = None) -> dict[str, DAG]:
    """The DAGs of one file by id, or the one that is wanted of them."""
    makers = {spec.name: partial(build_dag, spec, layout.display(file))}
    if isinstance(spec, SourceSpec) and spec.reconcile is not None:
        makers[f"{spec.name}{RECONCILE_SUFFIX}"] = partial(
            build_reconcile_dag, spec, spec.reconcile, layout.display(file)
        )
    dags = {dag_id: make() for dag_id, make in makers.items() if wanted in {None, dag_id}}
    for dag in dags.values():
        dag.validate()  # type: ignore[no-untyped-call]  # what Airflow thinks of a schedule is met here, not in its loop
    return dags


def _refusal(layout: Layout, file: Path) -> str | None:
    try:
        _dags(layout, file, _spec(layout, file))
    except Exception as error:  # noqa: BLE001 - what ``_register`` left out is raised here, all files together
        return str(error) if isinstance(error, SpecError) else f"{layout.display(file)}: {error!r}"
    return None
