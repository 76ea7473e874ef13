"""What the policies have in common that read a stack of frames and predict angles and torques with the
paper's joint loss; defaults are the paper's (SoftGrasp, section 3.3, Table 3).
"""

from dataclasses import dataclass, field
from typing import Literal

from ..bounds import require_within
from .chunk import check_chunk
from .fused_adam import FusedAdamConfig
from .observation_config import ObservationConfig


@dataclass
class StackConfig(ObservationConfig):
    """Configuration of a `StackPolicy`; the base of `softgrasp` and `softgrasp_timesformer`.

    Attributes:
        num_stack: frames in the stack (Table 3).
        frameskip: dataset frames between two frames of the stack (Table 3).
        chunk_size: moments predicted at once; 1 is the paper's "next moment".
        n_action_steps: predicted moments that are executed before the policy is asked again.
        temporal_ensemble_coeff: weight m in ACT's temporal ensembling exp(-m·i); None turns it off. Needs
            `n_action_steps=1`.
        joint_encoder: `per_joint` gives every joint value its one-hot, encodes the joints with shared weights
            and averages them; `flat` encodes the six values as one vector.
        head_hidden_dims: hidden layers of each prediction head.
        loss_factor: λ of Eq. (7), the weight of the torque loss; 0.1 is best in Table 4. Without torques in
            the action the loss is that of the angles alone, whatever it is.
        huber_delta_angle: δ_A of Eq. (5), in normalised units.
        huber_delta_torque: δ_T of Eq. (6), in normalised units.
        optimizer_lr: learning rate of Adam, constant (Table 3).
        optimizer_grad_clip_norm: gradient clipping of the authors' code; the paper names none.
    """

    num_stack: int = 3
    frameskip: int = 5
    chunk_size: int = 1
    n_action_steps: int = 1
    temporal_ensemble_coeff: float | None = None

    joint_encoder: Literal["per_joint", "flat"] = "per_joint"
    head_hidden_dims: list[int] = field(default_factory=lambda: [1024, 1024])

    loss_factor: float = 0.1
    huber_delta_angle: float = 0.2
    huber_delta_torque: float = 0.2

    optimizer_lr: float = 1e-4
    optimizer_grad_clip_norm: float = 0.5

    def __post_init__(self) -> None:
        require_within("num_stack", self.num_stack, 1, 64)
        require_within("frameskip", self.frameskip, 1, 1000)
        check_chunk(self.chunk_size, self.n_action_steps, self.temporal_ensemble_coeff)
        require_within("head_hidden_dims: their number", len(self.head_hidden_dims), 0, 16)
        for width in self.head_hidden_dims:
            require_within("head_hidden_dims", width, 1, 16_384)
        require_within("loss_factor", self.loss_factor, 0, 1)
        require_within("huber_delta_angle", self.huber_delta_angle, 0, 100, above_low=True)
        require_within("huber_delta_torque", self.huber_delta_torque, 0, 100, above_low=True)
        require_within("optimizer_lr", self.optimizer_lr, 0, 1, above_low=True)
        require_within("optimizer_grad_clip_norm", self.optimizer_grad_clip_norm, 0, 1e6)
        super().__post_init__()
        if self.n_action_steps > self.chunk_size:
            raise ValueError(
                f"`n_action_steps` ({self.n_action_steps}) cannot exceed `chunk_size` ({self.chunk_size}): "
                "no more moments can be executed than are predicted."
            )
        if self.temporal_ensemble_coeff is not None and self.n_action_steps != 1:
            raise ValueError("Temporal ensembling asks the policy at every step: set `n_action_steps=1`.")

    @property
    def observation_delta_indices(self) -> list[int]:
        """Frames of the stack relative to now, oldest first: [-10, -5, 0] with the paper's values."""
        return [-self.frameskip * age for age in reversed(range(self.num_stack))]

    @property
    def action_delta_indices(self) -> list[int]:
        """Action rows with the labels: angles from t…t+H-1, torques ("at the next moment") from t+1…t+H."""
        return list(range(self.chunk_size + 1))

    @property
    def reward_delta_indices(self) -> None:
        return None

    def get_optimizer_preset(self) -> FusedAdamConfig:
        return FusedAdamConfig(
            lr=self.optimizer_lr, weight_decay=0.0, grad_clip_norm=self.optimizer_grad_clip_norm
        )

    def get_scheduler_preset(self) -> None:
        return None
