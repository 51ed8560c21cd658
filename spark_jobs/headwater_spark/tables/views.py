"""Temporary views under names of their own.

A Connect client resolves a name again whenever a plan is used: a name given twice would change what earlier
DataFrames read.
"""

from __future__ import annotations

import itertools

from pyspark.sql import DataFrame

_numbers = itertools.count(1)


def as_view(frame: DataFrame, purpose: str) -> str:
    """Name the frame in its session; the name is never given again in this process."""
    name = f"hw_{purpose}_{next(_numbers)}"
    frame.createOrReplaceTempView(name)
    return name
