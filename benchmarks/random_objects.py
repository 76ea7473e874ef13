"""Repeats the search for the random objects: the first draw of each that the virtual operator grasps in at
least nine of ten episodes, or in five of six where it is only demonstrated. Prints every draw, and at the end
the attempts that `random_objects.py` must name.

python benchmarks/random_objects.py
"""

from softgrasp_plugin.simulation.catalogue import ALL_SIM_OBJECTS
from softgrasp_plugin.simulation.episode import run_operator_episode
from softgrasp_plugin.simulation.objects import SimObject
from softgrasp_plugin.simulation.random_objects import DIVERSE_OBJECTS, RANDOM_OBJECTS, draw_object

TRIED, DEMONSTRATED = 10, 6
"""Episodes, of which one may fail."""


def successes(candidate: SimObject, episodes: int) -> int:
    """In how many of the episodes the operator holds it."""
    ALL_SIM_OBJECTS[candidate.object_id] = candidate  # it lies there instead of the one that was accepted
    return sum(run_operator_episode(candidate.object_id, seed).outcome.is_success for seed in range(episodes))


def search(number: int) -> int:
    """The first attempt at this object that is graspable."""
    episodes, attempt = TRIED if number < len(RANDOM_OBJECTS) else DEMONSTRATED, 0
    while True:
        candidate = draw_object(number, attempt)
        row, held = candidate.table_row, successes(candidate, episodes)
        print(
            f"{row.task} attempt {attempt}: {candidate.shape} {row.size_mm} mm, {row.mass_g} g, "
            f"{row.hardness_hc} HC, {row.material}, {row.grasp}: held {held} of {episodes}",
            flush=True,
        )
        if held >= episodes - 1:
            return attempt
        attempt += 1


if __name__ == "__main__":
    print("accepted:", tuple(search(number) for number in range(len(RANDOM_OBJECTS) + len(DIVERSE_OBJECTS))))
