"""Memory that a training frees stays with it, for the next step.

The C library gives large blocks back to the system as soon as they are freed, which at every step of a
training are most: the system clears each page anew when it is touched again. Where a step is short that is a
good part of it (docs/results/speed.md).
"""

import ctypes

KEEP_FREED_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
"""The same for a program that is to be started: its environment."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER = -1


def keep_freed_memory() -> bool:
    """Keep what is freed from now on.

    Returns:
        Whether the C library can be told so; glibc can.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
