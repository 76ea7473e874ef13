"""Six joint values of one frame to one feature vector (SoftGrasp, section 3.2.1).

Shapes: N frames, J = 6 joints, D_f features.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS


class PerJointEncoder(nn.Module):
    """Two-layer MLP over (value, one-hot of the joint), shared by the joints; their features are averaged.

    Each of the six values becomes a (1+6)-dimensional element as in the paper. How the paper goes from six
    elements to one feature vector is not said; averaging keeps the weights shared, so that the one-hot is
    what tells the joints apart.
    """

    one_hot: Tensor

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        self.register_buffer("one_hot", torch.eye(NUM_JOINTS), persistent=False)
        self.hidden = nn.Linear(1 + NUM_JOINTS, feature_dim)
        self.output = nn.Linear(feature_dim, feature_dim)

    def forward(self, values: Tensor) -> Tensor:  # (N, J) -> (N, D_f)
        one_hot = self.one_hot.expand(values.shape[0], -1, -1)
        elements = torch.cat([values.unsqueeze(-1), one_hot], dim=-1)  # (N, J, 1+J)
        hidden = torch.relu(self.hidden(elements))  # (N, J, D_f)
        # The second layer is linear: averaging before it gives the same function at a sixth of the cost.
        feature: Tensor = self.output(hidden.mean(1))
        return feature


class FlatEncoder(nn.Module):
    """Two-layer MLP over the six values as one vector, whose positions already tell the joints apart."""

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(NUM_JOINTS, feature_dim)
        self.output = nn.Linear(feature_dim, feature_dim)

    def forward(self, values: Tensor) -> Tensor:  # (N, J) -> (N, D_f)
        feature: Tensor = self.output(torch.relu(self.hidden(values)))
        return feature


def make_joint_encoder(kind: Literal["per_joint", "flat"], feature_dim: int) -> nn.Module:
    """Build the encoder of joint angles, or of joint torques."""
    return PerJointEncoder(feature_dim) if kind == "per_joint" else FlatEncoder(feature_dim)
