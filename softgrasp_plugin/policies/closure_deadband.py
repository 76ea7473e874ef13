"""Lets a grip rest: a postprocessing step that holds commanded closures still while they hardly change.

A policy that predicts changes has nothing that says where a resting finger was. Its small errors add up: a
grip that should rest tightens by about a newton a second, until a light object is crushed, or until the arm,
which waits for a steady grip, has waited for too long (docs/results has both). So a joint that touches, or is
about to, keeps its command until a new one differs by the width of the deadband.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from lerobot.configs import PipelineFeatureType, PolicyFeature
from lerobot.processor import PolicyActionProcessorStep, ProcessorStepRegistry
from torch import Tensor

TOUCH_N = 0.5
"""Predicted newtons from which a joint is taken to touch. In free air the hand has to follow closely."""


@ProcessorStepRegistry.register("softgrasp_closure_deadband")
@dataclass
class ClosureDeadband(PolicyActionProcessorStep):
    """Holds the closures of touching joints; saved with the policy, after its unnormalisation.

    What leaves it is never further than `width` from what the policy asked for, whatever it remembers: a new
    episode, or another number of robots, needs no `reset`. A policy that lets go more gently than that, tick
    by tick, keeps its grip.

    Attributes:
        width: closure by which a command has to differ from the one that is held.
        angle_columns: columns of the six closures in an action.
        torque_columns: columns of the six predicted torques, in newtons.
        touch_n: predicted torque from which a joint is held, newtons.
    """

    width: float
    angle_columns: list[int]
    torque_columns: list[int]
    touch_n: float = TOUCH_N
    _held: Tensor | None = field(default=None, init=False, repr=False)

    def action(self, action: Tensor) -> Tensor:
        """Hold what rests of an action (…, 12) in closures and newtons."""
        closure = action[..., self.angle_columns]
        touches = action[..., self.torque_columns] >= self.touch_n
        if self._held is not None and self._held.shape == closure.shape:
            held = self._held.to(closure)
            closure = torch.where(touches & ((closure - held).abs() < self.width), held, closure)
        self._held = closure
        action = action.clone()
        action[..., self.angle_columns] = closure
        return action

    def reset(self) -> None:
        """Hold nothing: a new episode begins."""
        self._held = None

    def get_config(self) -> dict[str, Any]:
        """What is saved in `policy_postprocessor.json`."""
        return {
            "width": self.width,
            "angle_columns": self.angle_columns,
            "torque_columns": self.torque_columns,
            "touch_n": self.touch_n,
        }

    def transform_features(
        self, features: dict[PipelineFeatureType, dict[str, PolicyFeature]]
    ) -> dict[PipelineFeatureType, dict[str, PolicyFeature]]:
        """Changes values, not features."""
        return features
