"""Numbers for Rerun's viewer beyond LeRobot's own logging, which carries observation and action."""

import sys
from collections.abc import Callable, Mapping


def show(numbers: Callable[[], Mapping[str, float]]) -> None:
    """Log numbers under `softgrasp/…` if a Rerun recording is active, as with ``--display_data=true``.

    Args:
        numbers: gives them by path below `softgrasp/`; asked only if somebody watches.
    """
    rerun = sys.modules.get("rerun")  # loaded by whoever started a recording
    if rerun is None or rerun.get_global_data_recording() is None:
        return
    for path, number in numbers().items():
        rerun.log(f"softgrasp/{path}", rerun.Scalars(number))
