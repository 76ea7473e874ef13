"""Speed of the simulation: real-time factor, milliseconds per picture, seconds per demonstration.

python benchmarks/simulation_speed.py
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from softgrasp_plugin.simulation.episode import run_operator_episode
from softgrasp_plugin.simulation.world import World


def cpu_seconds(call: Callable[[], object], repeats: int) -> float:
    """Median processor time of one call; unlike the wall clock it does not depend on what else runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--object_id", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=30)
    args = parser.parse_args()

    world = World(args.object_id)
    step = cpu_seconds(world.step, args.repeats)
    print(f"control tick, hand at rest      {1e3 * step:7.2f} ms   {1 / world.fps / step:6.1f} x real time")
    print(f"reset                           {1e3 * cpu_seconds(world.reset, 5):7.2f} ms")
    for height, width in ((120, 160), (240, 320), (480, 640)):
        world.render(height, width)
        frame = cpu_seconds(lambda h=height, w=width: world.render(h, w), args.repeats)
        print(f"picture {height} x {width}               {1e3 * frame:7.2f} ms")
    start = time.process_time()
    result = run_operator_episode(args.object_id, seed=0)
    spent = time.process_time() - start
    print(
        f"demonstration without pictures  {spent:7.2f} s    {result.duration_s / spent:6.1f} x real time "
        f"({len(result.action)} ticks, success {result.outcome.is_success})"
    )


if __name__ == "__main__":
    main()
