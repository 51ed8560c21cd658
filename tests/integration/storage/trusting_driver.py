"""A driver and an executor of their own that read one table: ``trusting_driver.py <properties> <folder> <ca file>``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from headwater_spark.entrypoints.run_application import trust


def main(properties: str, folder: str, ca_file: str) -> None:
    builder = SparkSession.builder.master("local-cluster[1,1,600]")
    spark = builder.config(map=json.loads(Path(properties).read_text())).getOrCreate()
    trust(spark, Path(ca_file), Path(folder))
    print(spark.sql("SELECT sum(id) AS total FROM lake.bronze.shop__orders").collect()[0].total)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
