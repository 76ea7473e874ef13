"""`gymnasium.make("softgrasp/Grasp-v0", task="object_06")`.

Gymnasium calls `register_envs` when it is imported (the entry point `gymnasium.envs` of this distribution);
the discovery module calls it for those who import that instead. Nothing else is loaded.
"""

import gymnasium as gym

GRASP = "softgrasp/Grasp-v0"


def register_envs() -> None:
    """Make the environment known to Gymnasium, once."""
    if GRASP not in gym.registry:
        gym.register(
            GRASP,
            entry_point="softgrasp_plugin.envs.softgrasp_sim:SoftGraspSimEnv",
            kwargs={"task": "object_01", "normalized_actions": True},
        )
