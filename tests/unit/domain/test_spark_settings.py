"""Settings of the Spark engine: unknown and unfitting values are refused with words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from headwater.domain.settings import SparkSettings
from headwater.domain.spark_settings import StageSize

KUBERNETES = {"image": "r/spark:1"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "databricks"}, "connect"),
        ({"mode": "connect", "master": "spark://h:1"}, "local"),
        ({"mode": "submit", "master": "mesos://h"}, "spark://host:port, yarn"),
        ({"mode": "submit", "master": "spark://h:1", "deploy_mode": "cluster"}, "deploy_mode cluster is for yarn"),
        ({"mode": "kubernetes"}, "block `kubernetes`"),
        ({"mode": "kubernetes", "master": "yarn", "kubernetes": KUBERNETES}, "the operator knows its own"),
        ({"sizes": {"refined": {}}}, "build_gold"),
        ({"sizes": {"refine": {"executor_memory": "4 GB"}}}, "1500m or 4g"),
        ({"sizes": {"refine": {"executors": 0}}}, "greater than or equal to 1"),
        ({"conf": {"spark.hadoop.fs.s3a.secret.key": "x"}}, "holds a secret"),
        ({"conf": {"fs.s3a.endpoint": "x"}}, "start with spark."),
        ({"kubernetes": {"image": ""}}, "at least 1 character"),
        ({"kubernetes": KUBERNETES | {"namespace": "Spark_Jobs"}}, "a-z, 0-9"),
        ({"kubernetes": KUBERNETES | {"secret_environment": {"A": "only-a-name"}}}, "<name of the Secret>/<its key>"),
        ({"kubernetes": KUBERNETES | {"user": 0}}, "greater than or equal to 1"),
        ({"kubernetes": KUBERNETES | {"volumes": [{"claim": "c", "path": "relative"}]}}, "pattern"),
        ({"start_timeout": "10"}, "whole number and one unit"),
    ],
)
def test_what_does_not_fit_is_refused_with_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SparkSettings.model_validate({"jars": "j", **given})
    assert words in str(raised.value)


def test_a_stage_has_its_own_size_else_the_default_else_ours() -> None:
    named = SparkSettings.model_validate({"jars": "j", "sizes": {"default": {"executors": 3}, "refine": {}}})
    assert (named.size("refine").executors, named.size("validate").executors) == (2, 3)
    assert SparkSettings(jars="j").size("refine") == StageSize()
