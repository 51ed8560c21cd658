"""Python functions as transforms: DataFrames in, a DataFrame out, from an installed distribution (rule 43)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module

from pyspark.sql import SparkSession
from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame
from pyspark.sql.dataframe import DataFrame

from headwater.domain.errors import TransformError
from headwater.domain.names import TableName
from headwater.domain.spec import GoldSpec, PythonFunction, PythonTransform
from headwater_spark.transforms.clock import bind_clock
from headwater_spark.transforms.pinned_sql import pin_tables


def make_gold(spark: SparkSession, gold: GoldSpec, views: Mapping[str, str], planned_at: datetime) -> DataFrame:
    """The rows of a gold table: by its SQL, or by its Python function.

    :param views: dotted input -> view pinned to what this run reads of it.
    """
    if gold.transform is None:
        return spark.sql(bind_clock(pin_tables(gold.sql, views), planned_at))
    frames = [spark.table(views[dotted]) for dotted in gold.transform.inputs]
    return call(gold.transform, frames, planned_at)


def call(transform: PythonFunction, frames: list[DataFrame], planned_at: datetime) -> DataFrame:
    """Call the function with its inputs in their order, and ``planned_at`` where it takes one: the run's only clock.

    :raises TransformError: when it does not fit its inputs, or gives something else than a DataFrame.
    """
    try:
        function = getattr(import_module(transform.module), transform.function)
        parameters = inspect.signature(function).parameters
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise _unusable(transform, str(error), "a function of an installed distribution") from error
    clock = {"planned_at": planned_at} if "planned_at" in parameters else {}
    try:
        inspect.signature(function).bind(*frames, **clock)
    except TypeError as error:
        inputs = transform.inputs if isinstance(transform, PythonTransform) else ("silver.own.rows",)
        names = ", ".join(TableName.parse(dotted).table for dotted in inputs)
        raise _unusable(transform, str(error), f"def {transform.function}({names})") from error
    made = function(*frames, **clock)
    if not isinstance(made, DataFrame | ConnectDataFrame):
        raise _unusable(transform, f"it returned {type(made).__name__}", "a DataFrame")
    return made


def _unusable(transform: PythonFunction, got: str, allowed: str) -> TransformError:
    return TransformError(
        f"{transform.python} cannot be used as a transform",
        got=got[:300],
        allowed=allowed,
        remedy="Correct the function or `transform` in the YAML; its fixture shows the error without a run.",
        facts={"value": transform.python},
    )
