"""What the dashboard of Spark asks for is what a driver's UI shows, as it is when nothing is said of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from headwater.adapters.monitoring.exported_metrics import EXPORTED_METRICS

ROOT = Path(__file__).parents[2]
DRIVER = """
import urllib.request
from pyspark.sql import SparkSession

builder = SparkSession.builder.master("local[1]").appName("flights refine").config("spark.ui.port", "0")
spark = builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
spark.sparkContext.parallelize(range(2), 1).count()
port = spark.sparkContext.uiWebUrl.rpartition(":")[2]
with urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}") as answer:
    print(answer.read().decode())
spark.stop()
"""


def test_a_driver_shows_every_metric_with_its_labels() -> None:
    [monitor] = [
        item
        for item in yaml.safe_load_all((ROOT / "deploy/base/monitoring/scraping.yaml").read_text())
        if item["metadata"]["name"] == "spark-drivers"
    ]
    path = monitor["spec"]["podMetricsEndpoints"][0]["path"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    told = subprocess.run(
        [sys.executable, "-c", f"PATH = {path!r}\n{DRIVER}"], env=environment | {"SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-3000:]
    wanted = [metric for metric in EXPORTED_METRICS if metric.exporter == "Spark driver"]
    assert wanted
    for metric in wanted:
        found = re.search(rf"^{metric.prometheus}{{(.*)}} [\d.]+", told.stdout, re.MULTILINE)
        assert found, metric.prometheus
        assert dict(re.findall(r'(\w+)="([^"]*)"', found[1])).keys() == set(metric.labels)


def test_applications_leave_the_ui_open() -> None:
    for place in ("dev", "prod"):
        conf = yaml.safe_load((ROOT / "deploy/spark" / place / "refine.yaml").read_text())["spec"]["sparkConf"]
        assert not [key for key in conf if key.startswith("spark.ui.") and key != "spark.ui.showConsoleProgress"]
