"""Memory that a training keeps."""

import os
import subprocess
import sys

import pytest

from softgrasp_plugin.allocator import KEEP_FREED_MEMORY

STEPS = """
import resource, sys
import numpy as np
from softgrasp_plugin.allocator import keep_freed_memory
if sys.argv[1:] == ["keep"]:
    assert keep_freed_memory()
def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(16_000_000, np.float32)  # 64 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
for _ in range(4):  # until the blocks have found their places
    pages()
print(pages())
"""


def faults(*arguments: str, **environment: str) -> int:
    """Pages that the system had to hand out."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="is about glibc")
def test_freed_memory_is_used_again() -> None:
    usual = faults()
    assert usual > 1000
    assert faults("keep") < usual / 10
    assert faults(**KEEP_FREED_MEMORY) < usual / 10
