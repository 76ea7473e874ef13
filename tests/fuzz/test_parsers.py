"""Every parser against inputs near the valid ones; `make fuzz` does this for minutes or hours.

What fails there is kept in `tests/fuzz/seeds`, where Hypothesis tries it first from then on, here too: commit
what appears there together with the repair.
"""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from .targets import TARGETS

FUZZ_S = 60.0 * float(os.environ.get("SOFTGRASP_FUZZ_MINUTES", "0")) / len(TARGETS)
"""Seconds for each target; 0 for a moment."""

_SEEDS = DirectoryBasedExampleDatabase(Path(__file__).parent / "seeds")


@pytest.mark.timeout(FUZZ_S + 900)
@pytest.mark.parametrize("name", list(TARGETS))
def test_reads_or_refuses(name: str) -> None:
    target = TARGETS[name]
    deadline, round_number = time.monotonic() + FUZZ_S, 0
    while round_number == 0 or time.monotonic() < deadline:
        # Rounds: Hypothesis remembers every input of a run, so that one endless run would fill the memory.
        @seed(time.time_ns() if FUZZ_S else 0)
        @settings(
            max_examples=2000 if FUZZ_S else 40,
            database=_SEEDS,
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(target.inputs)
        def check(drawn: object) -> None:
            target.check(drawn)

        check()
        round_number += 1
