"""Every object that can lie in front of the simulated hand: the twelve of Table 2 and the random ones."""

from ..grasping.objects import TASKS
from .objects import SIM_OBJECTS, SimObject
from .random_objects import DIVERSE_OBJECTS, RANDOM_OBJECTS

ALL_SIM_OBJECTS: dict[int, SimObject] = {**SIM_OBJECTS, **RANDOM_OBJECTS, **DIVERSE_OBJECTS}
SIM_OBJECT_BY_TASK: dict[str, SimObject] = {sim.table_row.task: sim for sim in ALL_SIM_OBJECTS.values()}
RANDOM_TASKS: tuple[str, ...] = tuple(sim.table_row.task for sim in RANDOM_OBJECTS.values())
DIVERSE_TASKS: tuple[str, ...] = tuple(sim.table_row.task for sim in DIVERSE_OBJECTS.values())

TASK_GROUPS: dict[str, tuple[str, ...]] = {"all": TASKS, "random": RANDOM_TASKS, "diverse": DIVERSE_TASKS}
"""Names that stand for several tasks: `all` for the twelve of Table 2, `random` for six others, `diverse` for
the sixty more that are demonstrated where many objects shall be.
"""


def sim_object(object_id: int) -> SimObject:
    """The object of that number.

    Raises:
        ValueError: there is none.
    """
    if object_id not in ALL_SIM_OBJECTS:
        raise ValueError(
            f"object_id must be one of Table 2, 1…{len(SIM_OBJECTS)}, or of the random objects, "
            f"{min(RANDOM_OBJECTS)}…{max(DIVERSE_OBJECTS)}; got {object_id}."
        )
    return ALL_SIM_OBJECTS[object_id]


def expand_tasks(names: str) -> tuple[str, ...]:
    """Tasks named in a list separated by commas, in the order given; groups stand for their tasks.

    Raises:
        ValueError: for a name that is neither a task nor a group.
    """
    tasks: list[str] = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in TASK_GROUPS and name not in SIM_OBJECT_BY_TASK:
            raise ValueError(
                f"Unknown task {name!r} in {names!r}. Expected {' or '.join(map(repr, TASK_GROUPS))}, or "
                f"some of these separated by commas: {', '.join(SIM_OBJECT_BY_TASK)}."
            )
        tasks += TASK_GROUPS.get(name, (name,))
    return tuple(tasks)
