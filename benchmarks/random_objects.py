"""Repeats the search for the six random objects: the first draw of each that the virtual operator grasps in
at least nine of ten episodes. Prints every draw, and at the end the attempts that `random_objects.py` must
name.

python benchmarks/random_objects.py
"""

from softgrasp_plugin.simulation.catalogue import ALL_SIM_OBJECTS
from softgrasp_plugin.simulation.episode import run_operator_episode
from softgrasp_plugin.simulation.objects import SimObject
from softgrasp_plugin.simulation.random_objects import RANDOM_OBJECTS, draw_object

SEEDS = range(10)
ENOUGH = 9


def successes(candidate: SimObject) -> int:
    """In how many of the episodes the operator holds it."""
    ALL_SIM_OBJECTS[candidate.object_id] = candidate  # it lies there instead of the one that was accepted
    return sum(run_operator_episode(candidate.object_id, seed).outcome.is_success for seed in SEEDS)


def search(number: int) -> int:
    """The first attempt at this object that is graspable."""
    attempt = 0
    while True:
        candidate = draw_object(number, attempt)
        row, held = candidate.table_row, successes(candidate)
        print(
            f"{row.task} attempt {attempt}: {candidate.shape} {row.size_mm} mm, {row.mass_g} g, "
            f"{row.hardness_hc} HC, {row.material}, {row.grasp}: held {held} of {len(SEEDS)}",
            flush=True,
        )
        if held >= ENOUGH:
            return attempt
        attempt += 1


if __name__ == "__main__":
    print("accepted:", tuple(search(number) for number in range(len(RANDOM_OBJECTS))))
