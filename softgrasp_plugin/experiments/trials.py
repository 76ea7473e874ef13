"""Trials of a trained policy in the simulation, several objects side by side, with what the world knows about
each grasp.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

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


class _Attempt:
    """One trial in the making.

    Attributes:
        perceived: what the policy is told next.
        is_over: whether there is a verdict, or the time is up.
    """

    def __init__(
        self, env: SoftGraspSimEnv, seed: int, perceive: Callable[[Observation], Observation]
    ) -> None:
        self._env, self._seed, self._perceive = env, seed, perceive
        self._states: list[NDArray[np.float32]] = []
        self._images: list[NDArray[np.uint8]] = []
        self._heights: list[float] = []
        self._scores: list[dict[str, float]] = []
        self.is_over = False
        observation, self._info = env.reset(seed=seed)
        self._note(observation)

    def step(self, action: FloatArray, scores: dict[str, float]) -> None:
        self._scores.append(scores)
        observation, _, is_decided, is_late, self._info = self._env.step(action.astype(np.float32))
        self.is_over = is_decided or is_late
        self._note(observation)

    def _note(self, observation: Observation) -> None:
        self._states.append(observation["agent_pos"])
        self._images.append(observation["pixels"][CAMERA_KEY])
        self._heights.append(self._env.lift_height_m)
        self.perceived = self._perceive(observation)

    def trial(self) -> Trial:
        fps: Any = self._env.metadata["render_fps"]
        state, height = np.array(self._states), np.array(self._heights)
        return make_trial(self._env.task, self._seed, self._info, state, height, fps)

    def trace(self) -> Trace:
        """Every tick that was acted on: the last observation is not among them."""
        return Trace(
            state=np.array(self._states[:-1], dtype=np.float64),
            lift_height_m=np.array(self._heights[:-1]),
            attention={name: np.array([each[name] for each in self._scores]) for name in self._scores[0]},
            images=np.array(self._images[:-1]),
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
    attempts = []
    for task in tasks:
        perceive: Callable[[Observation], Observation] = _unchanged
        if intervention is not None:
            perceive = Intervene(intervention, donor_of(task, seed) if donor_of else None)
        attempts.append(_Attempt(make_env(task), seed, perceive))
    runner.reset()
    while not all(attempt.is_over for attempt in attempts):
        # A trial that is over stays in the batch with its last observation: a batch has one size.
        actions, scores = runner.act_batch(_batch([attempt.perceived for attempt in attempts]))
        for place, attempt in enumerate(attempts):
            if not attempt.is_over:
                attempt.step(actions[place], {name: float(score[place]) for name, score in scores.items()})
    return [attempt.trial() for attempt in attempts], [attempt.trace() for attempt in attempts]


def _unchanged(observation: Observation) -> Observation:
    return observation


def _batch(observations: Sequence[Observation]) -> dict[str, Any]:
    """Observations of several environments as a policy's processors take them."""
    images = torch.from_numpy(np.stack([one["pixels"][CAMERA_KEY] for one in observations]))
    return {
        OBS_STATE: torch.from_numpy(np.stack([one["agent_pos"] for one in observations])),
        IMAGE_FEATURE: images.permute(0, 3, 1, 2).contiguous().float() / 255.0,
        "task": [TASK_DESCRIPTION] * len(observations),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return value
