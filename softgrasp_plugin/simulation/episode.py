"""One whole demonstration: the virtual operator grasps, the supervisor lifts, the world judges."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..grasping.action_noise import ActionNoise
from ..grasping.force_feedback import FeedbackConfig
from ..grasping.lift import LiftSupervisor
from ..joints import FloatArray
from .operator import OperatorConfig, OperatorModel
from .outcome import GraspOutcome
from .settings import WorldSettings
from .world import World


@dataclass
class EpisodeConfig:
    """How demonstrations are given.

    Attributes:
        fps: control ticks per second.
        action_noise: standard deviation of slow noise on the executed closure, the label staying clean
            (DART).
        world: settings of the trial.
        operator: the person's habits.
        feedback: settings of Algorithm 1.
    """

    fps: int = 30
    action_noise: float = 0.0
    world: WorldSettings = field(default_factory=WorldSettings)
    operator: OperatorConfig = field(default_factory=OperatorConfig)
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)


@dataclass(frozen=True)
class EpisodeResult:
    """One demonstration.

    Attributes:
        object_id: row of Table 2, or number of a random object.
        seed: the episode.
        outcome: as the world judged at the end.
        duration_s: simulated length.
        action: expected closures Âs per tick, shape (N, 6), without noise.
        closure: measured closures per tick, shape (N, 6).
        torque: measured fingertip forces per tick, newtons, shape (N, 6).
        lift_height_m: commanded height per tick, shape (N,).
    """

    object_id: int
    seed: int
    outcome: GraspOutcome
    duration_s: float
    action: FloatArray
    closure: FloatArray
    torque: FloatArray
    lift_height_m: FloatArray


def run_operator_episode(
    object_id: int,
    seed: int,
    config: EpisodeConfig | None = None,
    on_tick: Callable[[World, OperatorModel], None] | None = None,
) -> EpisodeResult:
    """Let the virtual operator grasp one object.

    Args:
        object_id: row of Table 2, 1…12, or a random object, 101…166.
        seed: decides the object's variation, the operator's, and the noise.
        config: how; the defaults if None.
        on_tick: called after every control tick, for instance to draw it.
    """
    config = config or EpisodeConfig()
    world = World(object_id, seed, fps=config.fps, settings=config.world)
    operator = OperatorModel(world, config.operator, config.feedback)
    supervisor = LiftSupervisor(config.world.lift)
    noise = ActionNoise(config.action_noise, seed)
    rows: list[tuple[FloatArray, FloatArray, FloatArray, float]] = []
    while not operator.done:
        sample, action = world.hand_sample(), operator.expected_closure
        height_m = supervisor.update(sample.closure, sample.torque, sample.timestamp)
        rows.append((action, sample.closure, sample.torque, height_m))
        world.command_hand(action + noise.step())
        world.command_lift(height_m)
        world.step()
        if on_tick is not None:
            on_tick(world, operator)
    action, closure, torque, height = (np.array(column) for column in zip(*rows, strict=True))
    return EpisodeResult(object_id, seed, world.outcome(), world.time, action, closure, torque, height)
