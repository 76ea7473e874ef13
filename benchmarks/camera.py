"""Processor milliseconds per picture of the ray camera while the arm lifts, for every object of Table 2.

python benchmarks/camera.py
"""

import argparse
import time

import numpy as np

from softgrasp_plugin.simulation.objects import SIM_OBJECTS
from softgrasp_plugin.simulation.scene import LIFT_HEIGHT_M
from softgrasp_plugin.simulation.world import World

SIZES = ((120, 160), (240, 320), (480, 640))


def frame_times(object_id: int, height: int, width: int, frames: int) -> list[float]:
    """Milliseconds of processor time for the first picture, and then for `frames` pictures of a lift."""
    world = World(object_id)
    times = []
    for frame in range(frames + 1):
        world.command_lift(LIFT_HEIGHT_M * frame / frames)
        world.step()
        start = time.process_time()
        world.render(height, width)
        times.append(1e3 * (time.process_time() - start))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=30)
    args = parser.parse_args()
    print("size        first   least  median  largest median of an object    (ms)")
    for height, width in SIZES:
        times = np.array([frame_times(object_id, height, width, args.frames) for object_id in SIM_OBJECTS])
        first, later = times[:, 0], times[:, 1:]
        print(
            f"{height:3d} x {width:3d} {np.median(first):8.1f} {later.min():7.1f} {np.median(later):7.1f} "
            f"{np.median(later, axis=1).max():8.1f}"
        )


if __name__ == "__main__":
    main()
