"""The weather's landing folder: one CSV file a day, as a station would drop it."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

from headwater.cli.demo.flight_data import Row, read_table


def land_months(folder: Path, months: range) -> tuple[int, int]:
    """Write the days of these months of 2013 that have not landed; returns (files, rows) written.

    A file appears complete or not at all, and a landed file never changes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = sorted((row for row in read_table("weather") if int(row["month"]) in months), key=_day)
    files = count = 0
    for day, group in groupby(rows, key=_day):
        path = folder / f"observations-{'-'.join(f'{part:02d}' for part in day)}.csv"
        if path.exists():
            continue
        observations = list(group)
        draft = path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(observations[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(observations)
        draft.replace(path)
        files += 1
        count += len(observations)
    return files, count


def _day(row: Row) -> tuple[int, int, int]:
    return int(row["year"]), int(row["month"]), int(row["day"])
