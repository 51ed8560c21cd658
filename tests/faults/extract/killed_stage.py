"""A stage of a shop's run in a process of its own, which a failpoint may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.bad_input.shop import Shop

from headwater.ports.failpoints import VARIABLE

STAGE = Path(__file__).parents[2] / "chain" / "stage.py"


def stage(shop: Shop, name: str, failpoint: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(STAGE), str(shop.profile), "shop", "one", name],
        env=os.environ | {VARIABLE: failpoint}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
