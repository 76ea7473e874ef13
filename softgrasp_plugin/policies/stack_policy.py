"""A policy over a stack of frames with the paper's joint loss, as LeRobot trains, evaluates and rolls it out;
what differs between such policies is the network.

Shapes: B samples, S frames in the stack, J = 6 joints, H moments predicted at once (1 in the paper).
"""

from abc import abstractmethod
from collections import deque
from typing import Any, Literal, Protocol, cast

import torch
import torch.nn.functional as F  # noqa: N812
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS
from softgrasp_plugin.lerobot_internals import temporal_ensembler
from softgrasp_plugin.live import show

from .closure_shift import ClosureShift
from .fit import check_running_environment, refuse_compilation
from .frame_buffer import FrameBuffer
from .images import FramePreparation
from .loading import StrictLoading
from .modalities import ANGLE, IMAGE, TORQUE
from .stack_config import StackConfig
from .training_data import adopt_dataset, require_finite

_MEASURED = "measured_angle"
"""Rides with the features of a frame, for `relative_angles`."""


class StackNetwork(Protocol):
    """The network of a `StackPolicy`, a `torch.nn.Module`.

    Attributes:
        frames: prepares the images.
    """

    frames: FramePreparation

    def encode(self, images: Tensor | None, joints: dict[str, Tensor]) -> dict[str, Tensor]:
        """Encode frames one by one, whatever their place in the stack.

        Args:
            images: (B, S, 3, H, W) in [0, 1], or None without the image modality. S is any number of frames.
            joints: normalised joint values (B, S, J) by modality name.

        Returns:
            (B, S, …) per modality.
        """
        ...

    def predict(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Predict the next moments.

        Args:
            features: (B, S, …) per modality, oldest frame first.

        Returns:
            Angles X̂_A (B, H, J); torques X̂_T (B, H, J), None where the configuration's `predicts_torque` is
            False; and attention scores (B,) per modality, empty if the network has none.
        """
        ...


class StackPolicy(StrictLoading, PreTrainedPolicy):
    """Base of the policies that read a stack of frames; a subclass builds the network.

    Attributes:
        attention_scores: S_I, S_A, S_T of the newest prediction by modality name, Eqs. (8)–(10): tensors (B,)
            that sum to 1 over the modalities. Empty before the first prediction of an episode, and for a
            network that has none.
    """

    # LeRobot demands both of every subclass. This one is not registered: nobody can choose it.
    config_class = StackConfig
    name = "stack"

    def __init__(
        self,
        config: StackConfig,
        *,
        load_backbone_weights: bool = True,
        dataset_meta: Any | None = None,
        **kwargs: Any,
    ) -> None:
        """Build the policy.

        Args:
            config: its configuration, with features and joint columns filled in.
            load_backbone_weights: read pretrained backbone weights; off when a checkpoint brings all weights.
            dataset_meta: metadata of the dataset it is trained on, which LeRobot's factory passes.
            **kwargs: what LeRobot's factory also passes: `dataset_stats`, which `closure_shift` needs in
                training.

        Raises:
            ValueError: if it does not fit the dataset, or the environment of the running command, or is to
                be compiled.
        """
        super().__init__(config)
        config.validate_features()
        adopt_dataset(config, dataset_meta)
        check_running_environment(config)
        refuse_compilation()
        self.config = config
        self.model = self._make_model(load_backbone_weights)
        self._closure_shift = ClosureShift(config, kwargs.get("dataset_stats"))
        self.attention_scores: dict[str, Tensor] = {}
        self._frames = FrameBuffer(config.num_stack, config.frameskip)
        self._actions: deque[Tensor] = deque(maxlen=config.n_action_steps)
        self._ensembler: Any = None
        if config.temporal_ensemble_coeff is not None:
            self._ensembler = temporal_ensembler(config.temporal_ensemble_coeff, config.chunk_size)

    @abstractmethod
    def _make_model(self, load_backbone_weights: bool) -> StackNetwork:
        """Build the network of `self.config`."""

    def get_optim_params(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def update(self) -> None:
        """Count one training step; LeRobot calls this after each."""
        self.model.frames.advance()

    def reset(self) -> None:
        """Forget the episode: the frames seen, the actions predicted, the attention scores."""
        self._frames.reset()
        self._actions.clear()
        self.attention_scores = {}
        if self._ensembler is not None:
            self._ensembler.reset()

    # Training (section 3.3)

    def forward(
        self, batch: dict[str, Tensor], reduction: Literal["mean", "none"] = "mean"
    ) -> tuple[Tensor, dict[str, float]]:
        """The action-torque joint loss L = (1−λ)·L_A + λ·L_T, Eq. (7); L_A where there are no torques.

        Args:
            batch: a preprocessed batch of stacks: image (B, S, 3, H, W) in [0, 1], `observation.state` (B, S,
                ·), `action` (B, H+1, 12 or 6) and `action_is_pad` (B, H+1). Moments behind the end of the
                episode do not count.
            reduction: `none` gives one loss per sample, which LeRobot's sample weighting asks for.

        Returns:
            The loss, () or (B,), and numbers to log: both terms, and the mean attention score of each
            modality.

        Raises:
            ValueError: if the loss is not finite.
        """
        prediction, scores = self._predict(self._encode(batch))  # (B, H, 12)
        columns = self.config.action_angle_columns, self.config.action_torque_columns
        action, valid = batch[ACTION], ~batch["action_is_pad"]
        # Angles are commanded at t…t+H-1; the torques "at the next moment" are those measured at t+1…t+H.
        loss_angle = _masked_huber(
            prediction[..., columns[0]],
            action[:, :-1, columns[0]],
            self.config.huber_delta_angle,
            valid[:, :-1],
            reduction,
        )
        logs = {"loss_angle": loss_angle.mean().item()}
        loss = loss_angle
        if self.config.predicts_torque:
            loss_torque = _masked_huber(
                prediction[..., columns[1]],
                action[:, 1:, columns[1]],
                self.config.huber_delta_torque,
                valid[:, 1:],
                reduction,
            )
            loss = (1 - self.config.loss_factor) * loss_angle + self.config.loss_factor * loss_torque
            logs["loss_torque"] = loss_torque.mean().item()
        require_finite(loss, batch)
        logs |= {f"attention_{name}": score.mean().item() for name, score in scores.items()}
        return loss, logs

    # Inference

    @torch.no_grad()
    def select_action(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        """The action of this control tick; call it at every tick, at the frame rate of the dataset.

        Args:
            batch: one preprocessed frame: image (B, 3, H, W) in [0, 1] and `observation.state` (B, ·).
            **kwargs: ignored; LeRobot may pass sampling noise, of which this policy has no use.

        Returns:
            (B, 12): commanded closures Â_t and expected torques T̂_{t+1}, normalised, in the order of the
            dataset's action.
        """
        self.eval()
        frame = {key: batch[key].unsqueeze(1) for key in self.config.used_inputs}  # a stack of one
        # Every tick counts, also while a chunk is being executed: the stack reaches back in ticks.
        self._frames.append({name: feature.squeeze(1) for name, feature in self._encode(frame).items()})
        if self._actions:
            return self._actions.popleft()
        chunk, self.attention_scores = self._predict(self._frames.stack())  # (B, H, 12)
        scores = self.attention_scores
        show(lambda: {f"attention/{name}": score.mean().item() for name, score in scores.items()})
        if self._ensembler is not None:
            ensembled: Tensor = self._ensembler.update(chunk)
            return ensembled
        self._actions.extend(chunk[:, : self.config.n_action_steps].unbind(1))
        return self._actions.popleft()

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        """Predict a chunk from what is given alone, without the history that `select_action` keeps.

        Args:
            batch: a stack as in training, or a lone frame, which is then taken for the first of an episode.
            **kwargs: ignored.

        Returns:
            (B, H, 12), normalised.
        """
        self.eval()
        stack = {}
        for key, feature in self.config.used_inputs.items():
            is_lone_frame = batch[key].ndim == 1 + len(feature.shape)  # no axis for the stack
            stack[key] = torch.stack([batch[key]] * self.config.num_stack, 1) if is_lone_frame else batch[key]
        chunk, self.attention_scores = self._predict(self._encode(stack))
        return chunk

    def _encode(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        config = self.config
        images = batch[config.image_key] if IMAGE in config.modalities else None
        bound = config.normalized_state_clip
        joints = {
            name: batch[OBS_STATE][..., columns].clamp(-bound, bound)
            for name in (ANGLE, TORQUE)
            if (columns := config.state_columns(name))
        }
        measured = joints.get(ANGLE)  # (B, S, J)
        if measured is not None:
            joints[ANGLE] = self._closure_shift(measured)
        features = self.model.encode(images, joints)
        if config.relative_angles:
            features[_MEASURED] = cast(Tensor, measured)
        return features

    def _predict(self, features: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (B, S, …) per modality to actions (B, H, 12) and attention scores (B,) per modality."""
        angles, torques, scores = self.model.predict(features)
        if self.config.relative_angles:
            angles = angles + features[_MEASURED][:, -1:]
        parts = [(self.config.action_angle_columns, angles)]
        if torques is not None:
            parts.append((self.config.action_torque_columns, torques))
        action = angles.new_empty(*angles.shape[:2], NUM_JOINTS * len(parts))
        for columns, values in parts:
            action[..., columns] = values
        return action, {name: score.detach() for name, score in scores.items()}


def _masked_huber(prediction: Tensor, target: Tensor, delta: float, valid: Tensor, reduction: str) -> Tensor:
    """Huber loss, Eqs. (5) and (6), averaged over the valid moments and the joints.

    Args:
        prediction: (B, H, J).
        target: (B, H, J).
        delta: threshold δ between the quadratic and the linear part.
        valid: (B, H), False where the moment lies outside the episode.
        reduction: `mean` over all valid moments of the batch, or `none` for one mean per sample.

    Returns:
        () or (B,).
    """
    error = F.huber_loss(prediction, target, delta=delta, reduction="none").mean(-1) * valid  # (B, H)
    if reduction == "none":
        return error.sum(1) / valid.sum(1).clamp_min(1)
    return error.sum() / valid.sum().clamp_min(1)
