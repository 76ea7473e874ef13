"""Trials of a trained policy in the simulation, several objects side by side, with what the world knows about
each grasp.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from lerobot.utils.constants import OBS_STATE
from numpy.typing import NDArray

from ..envs.softgrasp_sim import Observation, SoftGraspSimEnv
from ..grasping.objects import TASK_DESCRIPTION
from ..grasping.stages import Stage, segment_stages
from ..joints import CAMERA_KEY, IMAGE_FEATURE, NUM_JOINTS, FloatArray
from ..policies.runner import PolicyRunner
from .interventions import Donor, Intervene
from .plan import Intervention


@dataclass(frozen=True)
class Trial:
    """What is kept of one trial; forces in newtons, deformation in millimetres, durations in seconds.

    Attributes:
        task: the object.
        seed: the scene.
        is_success: held and never crushed.
        is_held: lifted and held for a second, never dropped: the paper's verdict.
        is_crushed: deformed beyond its limit.
        is_dropped: left behind by the rising hand.
        was_lifted: whether the hand rose at all.
        peak_grip_force_n: highest sum of normal forces.
        mean_grip_force_n: its mean while lifted; 0 if it never was.
        max_deformation_mm: largest indentation from both sides.
        duration_s: until the verdict.
        stable_torque_n: mean fingertip forces (6,) in the Stable stage; None without that stage.
        final_closure: closures (6,) at the end.
    """

    task: str
    seed: int
    is_success: bool
    is_held: bool
    is_crushed: bool
    is_dropped: bool
    was_lifted: bool
    peak_grip_force_n: float
    mean_grip_force_n: float
    max_deformation_mm: float
    duration_s: float
    stable_torque_n: list[float] | None
    final_closure: list[float]

    def to_json(self) -> dict[str, Any]:
        """Plain values, rounded to what a sensor could tell."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Trace:
    """One trial, tick by tick.

    Attributes:
        state: (T, 12) what the policy was told of closures and torques.
        lift_height_m: (T,).
        attention: (T,) per modality; empty for a policy without attention.
        images: (T, height, width, 3) uint8.
    """

    state: FloatArray
    lift_height_m: FloatArray
    attention: dict[str, FloatArray]
    images: NDArray[np.uint8]


class _Recorder(gym.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]]):
    """Notes what happens in one environment."""

    def __init__(self, env: SoftGraspSimEnv) -> None:
        super().__init__(env)
        self._sim = env
        self.seed = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        observation, info = self.env.reset(seed=seed, options=options)
        self.seed = seed or 0
        self.states, self.heights = [observation["agent_pos"]], [0.0]
        self.images = [observation["pixels"][CAMERA_KEY]]
        self.info = info
        return observation, info

    def step(self, action: NDArray[np.float32]) -> Any:
        observation, reward, terminated, truncated, self.info = self.env.step(action)
        self.states.append(observation["agent_pos"])
        self.heights.append(self._sim.lift_height_m)
        self.images.append(observation["pixels"][CAMERA_KEY])
        return observation, reward, terminated, truncated, self.info

    def trial(self) -> Trial:
        fps: Any = self._sim.metadata["render_fps"]
        return make_trial(
            self._sim.task, self.seed, self.info, np.array(self.states), np.array(self.heights), fps
        )


def make_trial(
    task: str,
    seed: int,
    outcome: Mapping[str, Any],
    state: NDArray[np.floating[Any]],
    lift_height_m: FloatArray,
    fps: int,
) -> Trial:
    """Summarise a trial.

    Args:
        task: the object.
        seed: the scene.
        outcome: `GraspOutcome.to_info()` at the end.
        state: (T, 12) closures and torques.
        lift_height_m: (T,) height of the hand above the grasp pose.
        fps: ticks per second.
    """
    closure, torque = np.hsplit(np.asarray(state, dtype=np.float64), [NUM_JOINTS])
    stable = torque[segment_stages(closure, torque, fps, lift_height_m) == Stage.STABLE]
    return Trial(
        task=task,
        seed=seed,
        is_success=outcome["is_success"],
        is_held=outcome["is_held"],
        is_crushed=outcome["is_crushed"],
        is_dropped=outcome["is_dropped"],
        was_lifted=bool(lift_height_m.max() > 0),
        peak_grip_force_n=outcome["peak_grip_force_n"],
        mean_grip_force_n=outcome["mean_grip_force_n"],
        max_deformation_mm=outcome["max_deformation_mm"],
        duration_s=(len(state) - 1) / fps,
        stable_torque_n=stable.mean(0).tolist() if len(stable) and outcome["is_success"] else None,
        final_closure=closure[-1].tolist(),
    )


def run_trials(
    runner: PolicyRunner,
    make_env: Callable[[str], SoftGraspSimEnv],
    tasks: Sequence[str],
    seed: int,
    intervention: Intervention | None = None,
    donor_of: Callable[[str, int], Donor] | None = None,
) -> tuple[list[Trial], list[Trace]]:
    """One trial with every object, side by side in one batch.

    Args:
        runner: the policy.
        make_env: makes the environment of an object.
        tasks: the objects.
        seed: of the scene, the same for every object.
        intervention: what is done to the policy's senses.
        donor_of: gives a recorded episode with another object than the named one; needed for `swap`.

    Returns:
        A trial and a trace per object, in their order.
    """
    recorders = [_Recorder(make_env(task)) for task in tasks]
    seen: list[gym.Env[Any, Any]] = list(recorders)
    if intervention is not None:
        donors = [donor_of(task, seed) if donor_of else None for task in tasks]
        seen = [Intervene(one, intervention, donor) for one, donor in zip(recorders, donors, strict=True)]
    runner.reset()
    observations = [one.reset(seed=seed)[0] for one in seen]
    scores: list[dict[str, FloatArray]] = []
    going = list(range(len(seen)))
    while going:
        # A trial that is over stays in the batch with its last observation: a batch has one size.
        actions, attention = runner.act_batch(_batch(observations))
        scores.append(attention)
        for place in tuple(going):
            observations[place], _, terminated, truncated, _ = seen[place].step(actions[place])
            if terminated or truncated:
                going.remove(place)
    return (
        [recorder.trial() for recorder in recorders],
        [_trace(recorder, scores, place) for place, recorder in enumerate(recorders)],
    )


def _batch(observations: Sequence[Observation]) -> dict[str, Any]:
    """Observations of several environments as a policy's processors take them."""
    images = torch.from_numpy(np.stack([one["pixels"][CAMERA_KEY] for one in observations]))
    return {
        OBS_STATE: torch.from_numpy(np.stack([one["agent_pos"] for one in observations])),
        IMAGE_FEATURE: images.permute(0, 3, 1, 2).contiguous().float() / 255.0,
        "task": [TASK_DESCRIPTION] * len(observations),
    }


def _trace(recorder: _Recorder, scores: list[dict[str, FloatArray]], place: int) -> Trace:
    steps = scores[: len(recorder.states) - 1]
    names = steps[0] if steps else {}
    return Trace(
        state=np.array(recorder.states[:-1], dtype=np.float64),
        lift_height_m=np.array(recorder.heights[:-1]),
        attention={name: np.array([step[name][place] for step in steps]) for name in names},
        images=np.array(recorder.images[:-1]),
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return value
