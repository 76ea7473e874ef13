"""The simulated rig as a Gymnasium environment: a policy grasps, the supervisor lifts, the world judges."""

from itertools import compress
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ..devices.hands.torque_execution import TorqueExecution
from ..grasping.lift import LiftSupervisor
from ..grasping.torque_command import TorqueCommandConfig
from ..joints import CAMERA_KEY, NUM_JOINTS, keys_of
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from ..simulation.devices import SimulatedHand
from ..simulation.settings import WorldSettings
from ..simulation.world import World

Observation = dict[str, Any]

_STATE_BOUNDS = ((-0.5, 1.5), (-200.0, 200.0), (-2 * np.pi, 2 * np.pi))
"""Of a closure, a torque in newtons and an angle of the arm in radians: nothing here ever reaches them."""

_MOST_TORQUE_N = 40.0
"""Bound of the action space, above what any joint of the simulated hand can press; actions beyond it are
still executed.
"""

_NO_TORQUE = np.full(NUM_JOINTS, np.nan)


class SoftGraspSimEnv(gym.Env[Observation, NDArray[np.float32]]):
    """Grasp one object and hold it lifted for a second.

    Observation: `pixels` → `side`, uint8 (height, width, 3); `agent_pos`, float32 (12,) in the order of
        `joints.STATE_KEYS`, with `arm_joints` (18,): then the arm's joint angles in radians.
    Action: float32 (12,), commanded closures and the predicted torques in newtons, which act as
        `torque` says. With `normalized_actions`, as `gymnasium.make` has it, torques are shares of 40 N, so
        that all twelve lie in 0 … 1.
    Without `measures_torque` both lack the torques: observation (6,) or (12,), action (6,).
    Reward: 1 at the tick at which the object is held (lifted for a second and not fallen, as the paper
        judges), else 0, so that the highest reward of an episode is that verdict; `is_success` in `info` also
        asks that it was never crushed. The episode terminates when the object is held or dropped.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012 Gymnasium's own declaration

    def __init__(
        self,
        task: str,
        fps: int = 30,
        episode_length: int = 300,
        height: int = 240,
        width: int = 320,
        renderer: str = "ray",
        torque: TorqueCommandConfig = TorqueCommandConfig(),  # noqa: B008 frozen
        world: WorldSettings = WorldSettings(),  # noqa: B008 frozen
        arm_joints: bool = False,
        measures_torque: bool = True,
        video_size: tuple[int, int] | None = None,
        normalized_actions: bool = False,
        render_mode: str | None = "rgb_array",
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r}: the pictures are arrays; use 'rgb_array'.")
        self.render_mode = render_mode
        self.task = task
        self.task_description = f"Grasp {task} without crushing it and hold it lifted."
        self.metadata = {**self.metadata, "render_fps": fps}
        self._max_episode_steps = episode_length
        self._size = (height, width)
        self._video_size = video_size or self._size
        self._picture: NDArray[np.uint8] | None = None
        self._world_kwargs: dict[str, Any] = {
            "object_id": SIM_OBJECT_BY_TASK[task].object_id,
            "fps": fps,
            "renderer": renderer,
            "settings": world,
        }
        self._arm_joints, self._measures_torque = arm_joints, measures_torque
        self._action_keys = keys_of(measures_torque)
        self._torque = TorqueExecution(torque)
        self._supervisor = LiftSupervisor(world.lift)
        self._world: World | None = None
        self._ticks = 0
        image = gym.spaces.Box(0, 255, (height, width, 3), np.uint8)
        bounds = compress(_STATE_BOUNDS, (True, measures_torque, arm_joints))
        low, high = np.concatenate([[pair] * NUM_JOINTS for pair in bounds]).T
        state = gym.spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
        self.observation_space = gym.spaces.Dict(
            {"pixels": gym.spaces.Dict({CAMERA_KEY: image}), "agent_pos": state}
        )
        self._torque_unit_n = _MOST_TORQUE_N if normalized_actions else 1.0
        most = np.repeat(np.array([1.0, _MOST_TORQUE_N / self._torque_unit_n], np.float32), NUM_JOINTS)
        most = most[: len(self._action_keys)]
        self.action_space = gym.spaces.Box(np.zeros_like(most), most, dtype=np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a new trial; the seed decides the object's pose and every other variation."""
        super().reset(seed=seed)
        trial_seed = int(self.np_random.integers(2**31)) if seed is None else seed
        if self._world is None:
            self._world = World(seed=trial_seed, **self._world_kwargs)
        else:
            self._world.reset(seed=trial_seed)
        self._supervisor.reset()
        self._torque.reset()
        self._ticks = 0
        return self._observe(self._world), self._info(self._world)

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Advance one control tick.

        Raises:
            ValueError: if the action is not as many finite numbers as the action space has.
        """
        world = self._require_world()
        values = np.asarray(action, dtype=np.float64)
        keys = self._action_keys
        if values.shape != (len(keys),) or not np.isfinite(values).all():
            raise ValueError(f"An action is {len(keys)} finite numbers {keys}; got {action!r}.")
        hand = SimulatedHand(world)
        predicted = values[NUM_JOINTS:] * self._torque_unit_n if self._measures_torque else _NO_TORQUE
        grip = self._torque.plan(hand, values[:NUM_JOINTS].clip(0.0, 1.0), predicted)
        hand.write(grip.closure, grip.torque_limit)
        self._torque.executed(grip)
        sample = world.hand_sample()
        world.command_lift(self._supervisor.update(sample.closure, sample.torque, world.time))
        world.step()
        self._ticks += 1
        outcome = world.outcome()
        terminated = outcome.is_decided
        truncated = not terminated and self._ticks >= self._max_episode_steps
        return self._observe(world), float(outcome.is_held), terminated, truncated, self._info(world)

    def render(self) -> NDArray[np.uint8]:
        """What the camera sees now, for a video: `video_size`, or the picture of the newest observation."""
        world = self._require_world()
        if self._video_size == self._size and self._picture is not None:
            return self._picture
        return world.render(*self._video_size)

    @property
    def lift_height_m(self) -> float:
        """Height of the hand above the grasp pose, metres."""
        return self._require_world().lift_height_m

    def _require_world(self) -> World:
        if self._world is None:
            raise RuntimeError(
                "The environment has not been reset yet; call reset() before step() or render()."
            )
        return self._world

    def _observe(self, world: World) -> Observation:
        sample = world.hand_sample()
        arm = [world.arm_joints] if self._arm_joints else []
        torque = [sample.torque] if self._measures_torque else []
        state = np.concatenate([sample.closure, *torque, *arm]).astype(np.float32)
        self._picture = world.render(*self._size)
        return {"pixels": {CAMERA_KEY: self._picture}, "agent_pos": state}

    def _info(self, world: World) -> dict[str, Any]:
        return {**world.outcome().to_info(), "phase": str(self._supervisor.phase)}
