"""Several simulated rigs side by side."""

import multiprocessing
from functools import partial
from typing import Any

import gymnasium as gym

from ..lerobot_internals import freeze_after_episode_end, lazy_async_vector_env
from .softgrasp_sim import SoftGraspSimEnv

_IMPORTED_ONCE = ["__main__", "lerobot.envs.utils", "gymnasium.vector.async_vector_env", __name__]
"""What the processes of asynchronous environments need; importing it takes each of them seconds."""


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
        # The server that they are forked from imports it for all of them, if it has not started yet.
        multiprocessing.get_context("forkserver").set_forkserver_preload(_IMPORTED_ONCE)
        return lazy_async_vector_env(factories, factories[0]())
    return gym.vector.SyncVectorEnv(
        [freeze_after_episode_end(factory) for factory in factories],
        autoreset_mode=gym.vector.AutoresetMode.NEXT_STEP,
    )
