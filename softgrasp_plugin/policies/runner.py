"""A trained policy, ready to act."""

from contextlib import nullcontext
from typing import Any

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies import get_policy_class, make_pre_post_processors

from ..joints import FloatArray


class PolicyRunner:
    """A policy from a checkpoint with its processors, as LeRobot's own commands load it."""

    def __init__(self, path: str) -> None:
        """Load a checkpoint.

        Args:
            path: folder `pretrained_model` of a checkpoint, or a repository on the Hub.
        """
        config = PreTrainedConfig.from_pretrained(path)
        self.device = config.device
        self.policy = get_policy_class(config.type).from_pretrained(path, config=config)
        self.policy.to(self.device).eval()
        overrides = {"device_processor": {"device": self.device}}
        self.preprocess, self.postprocess = make_pre_post_processors(
            config, pretrained_path=path, preprocessor_overrides=overrides
        )

    def reset(self) -> None:
        """Start an episode."""
        self.policy.reset()
        self.preprocess.reset()
        self.postprocess.reset()

    def act(self, item: dict[str, Any]) -> tuple[FloatArray, dict[str, float]]:
        """Predict from one frame of a dataset.

        Returns:
            The action in the dataset's units and order, and the attention score per modality (empty for a
            policy that has none).
        """
        frame = {key: value[None] for key, value in item.items() if key.startswith("observation.")}
        action, scores = self._predict(frame | {"task": item["task"]})
        return action[0], {name: float(score[0]) for name, score in scores.items()}

    def act_batch(self, batch: dict[str, Any]) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Predict for several robots at once, in the precision that the policy was trained with.

        Args:
            batch: observations with a leading dimension of B robots, and `task`.

        Returns:
            The actions (B, 12) and the attention scores (B,) per modality.
        """
        device = torch.device(self.device or "cpu").type
        with torch.autocast(device) if self.policy.config.use_amp else nullcontext():
            return self._predict(batch)

    def _predict(self, batch: dict[str, Any]) -> tuple[FloatArray, dict[str, FloatArray]]:
        with torch.inference_mode():
            action = self.postprocess(self.policy.select_action(self.preprocess(batch)))
        scores: dict[str, torch.Tensor] = getattr(self.policy, "attention_scores", {})
        named = {name: score.double().cpu().numpy() for name, score in scores.items()}
        return action.double().cpu().numpy(), named
