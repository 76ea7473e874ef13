"""Mixed precision where the device computes faster in it.

`use_amp` asks for it. LeRobot turns it off on a device that has none; on a processor without instructions for
bfloat16 PyTorch emulates them, which is slower than full precision, so it is turned off there too.
"""

import logging
from functools import cache

import torch

logger = logging.getLogger(__name__)


def lower_precision(device_type: str) -> torch.dtype | None:
    """The type that convolutions are faster in; None if there is none.

    Args:
        device_type: `cpu`, `cuda`, …

    Returns:
        bfloat16, whose range is that of float32; on a GPU without it what PyTorch's autocast takes, float16.
    """
    if device_type == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else None
    if device_type == "cuda" and _gpu_has_bfloat16():
        return torch.bfloat16
    return torch.get_autocast_dtype(device_type)


def autocast(device_type: str, wanted: bool) -> torch.autocast:
    """A context in which convolutions and matrix products are computed in `lower_precision`.

    Args:
        device_type: `cpu`, `cuda`, …
        wanted: full precision if not.
    """
    dtype = lower_precision(device_type) if wanted else None
    return torch.autocast(device_type, dtype=dtype, enabled=dtype is not None)


@cache
def is_worthwhile(device: str) -> bool:
    """Whether a device computes faster in a lower precision; says so in the log, once, if it does not.

    Args:
        device: `cpu`, `cuda:0`, …
    """
    if lower_precision(torch.device(device).type) is not None:
        return True
    logger.warning("use_amp: this processor has no instructions for bfloat16; computing in float32.")
    return False


@cache
def _cpu_has_bfloat16() -> bool:
    """Relies on `torch.cpu._is_avx512_bf16_supported`; a processor with AMX has these, too."""
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(has and has())


@cache
def _gpu_has_bfloat16() -> bool:
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
