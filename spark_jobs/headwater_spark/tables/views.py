"""Temporary views under names of their own, and frames that stand by themselves.

A Connect client resolves a name again whenever a plan is used: a name given twice would change what earlier
DataFrames read.
"""

from __future__ import annotations

import itertools

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame
from pyspark.sql.connect.plan import SQL
from pyspark.sql.connect.session import SparkSession as ConnectSession

_numbers = itertools.count(1)


def as_view(frame: DataFrame, purpose: str) -> str:
    """Name the frame in its session; the name is never given again in this process."""
    name = f"hw_{purpose}_{next(_numbers)}"
    frame.createOrReplaceTempView(name)
    return name


def query(spark: SparkSession, select: str) -> DataFrame:
    """The rows of a SELECT. ``spark.sql`` would have a Connect server analyse it at once, and again when it is used."""
    if isinstance(spark, ConnectSession):
        return ConnectDataFrame(SQL(select), spark)
    return spark.sql(select)


def settled(frame: DataFrame) -> DataFrame:
    """The frame's rows, computed now and cut off from how they were made.

    A Connect client sends the whole plan with every query, and the server analyses it anew: a frame that is used five
    times by frames that are used three times costs fifteen analyses of everything below it. ``persist`` saves the
    work of the executors only (ADR 3). On a cluster the rows go to ``spark.checkpoint.dir``, if there is one: what
    only an executor has is lost with it (ADR 22).
    """
    if isinstance(frame, ConnectDataFrame) or frame.sparkSession.conf.get("spark.checkpoint.dir", None) is None:
        return frame.localCheckpoint()
    return frame.checkpoint()
