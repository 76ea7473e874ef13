"""Rerun's viewer beyond LeRobot's own logging, which carries observation and action: further numbers, and an
arrangement in which torques do not share an axis with closures.
"""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .colors import JOINT_COLORS, MODALITY_COLORS
from .grasping.lift import LiftPhase
from .joints import CLOSURE_KEYS, TORQUE_KEYS

logger = logging.getLogger(__name__)

_ARRANGED_AT = 30
"""The tick of the arrangement. LeRobot sends its own at the first, and the last one sent is shown."""


def show(numbers: Callable[[], Mapping[str, float]]) -> None:
    """Log numbers under `softgrasp/…` if a Rerun recording is active, as with ``--display_data=true``.

    Args:
        numbers: gives them by path below `softgrasp/`; asked only if somebody watches.
    """
    if (rerun := _viewer()) is not None:
        for path, number in numbers().items():
            rerun.log(f"softgrasp/{path}", rerun.Scalars(number))


class Arrangement:
    """Arranges the viewer once, a second after the first tick: cameras, stage and attention on the left,
    closures and torques, observed and of the action, each with an axis of their own.

    Args:
        cameras: names of the cameras.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = tuple(cameras)
        self._ticks = 0

    def update(self, measures_torque: bool) -> None:
        """Call at every tick; does something at one, if a Rerun recording is active then.

        Args:
            measures_torque: whether observation and action have torques.
        """
        self._ticks += 1
        if self._ticks != _ARRANGED_AT or (rerun := _viewer()) is None:
            return
        try:
            rerun.send_blueprint(self._blueprint(rerun, measures_torque))
        except Exception:  # whatever a viewer of another version thinks of it, the hand goes on
            logger.exception("Rerun's viewer keeps LeRobot's arrangement:")

    def _blueprint(self, rerun: Any, measures_torque: bool) -> Any:
        import rerun.blueprint as rrb

        def over_time(name: str, paths: Sequence[str], colors: Mapping[str, str]) -> Any:
            for path, (line, color) in zip(paths, colors.items(), strict=True):
                look = rerun.SeriesLines(names=line.replace("_", " "), colors=int(color[1:] + "ff", 16))
                rerun.log(path, look, static=True)
            return rrb.TimeSeriesView(name=name, contents=list(paths))

        def joints(name: str, source: str, keys: Sequence[str]) -> Any:
            return over_time(name, [f"{source}.{key}" for key in keys], JOINT_COLORS)

        cameras = [
            rrb.Spatial2DView(origin=f"observation.{name}", name=f"camera {name}") for name in self._cameras
        ]
        phases = ", ".join(f"{number} {phase}" for number, phase in enumerate(LiftPhase))
        lift = rrb.TimeSeriesView(name=phases, origin="softgrasp/lift")
        scores = [f"softgrasp/attention/{modality}" for modality in MODALITY_COLORS]
        attention = over_time("attention, sums to 1", scores, MODALITY_COLORS)
        values = [
            joints("closure measured, 0 open … 1 closed", "observation", CLOSURE_KEYS),
            joints("closure commanded, 0 open … 1 closed", "action", CLOSURE_KEYS),
        ]
        if measures_torque:
            values += [
                joints("torque measured, N", "observation", TORQUE_KEYS),
                joints("torque of the action, N", "action", TORQUE_KEYS),
            ]
        left = rrb.Vertical(*cameras, lift, attention)
        layout = rrb.Horizontal(left, rrb.Grid(*values, grid_columns=2), column_shares=[1, 2])
        return rrb.Blueprint(layout, collapse_panels=True)


def _viewer() -> Any:
    """Rerun, if a recording is active."""
    rerun = sys.modules.get("rerun")  # loaded by whoever started a recording
    return None if rerun is None or rerun.get_global_data_recording() is None else rerun
