"""Several simulated rigs side by side."""

from functools import partial
from typing import Any

import gymnasium as gym

from ..lerobot_internals import freeze_after_episode_end, lazy_async_vector_env
from .softgrasp_sim import SoftGraspSimEnv


def make_vector_env(task: str, n_envs: int, use_async: bool, kwargs: dict[str, Any]) -> gym.vector.VectorEnv:
    """Build a vector environment whose members stop working once their own episode has ended.

    Args:
        task: name of the task.
        n_envs: number of rigs.
        use_async: give each rig a process of its own. LeRobot's lazy wrapper starts the processes at the
            first reset, so that twelve tasks evaluated one after another do not hold twelve sets of them.
        kwargs: passed on to `SoftGraspSimEnv`.
    """
    factories = [partial(SoftGraspSimEnv, task, **kwargs) for _ in range(n_envs)]
    if use_async and n_envs > 1:
        return lazy_async_vector_env(factories, factories[0]())
    return gym.vector.SyncVectorEnv(
        [freeze_after_episode_end(factory) for factory in factories],
        autoreset_mode=gym.vector.AutoresetMode.NEXT_STEP,
    )
