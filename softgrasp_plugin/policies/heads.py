"""The prediction heads: one MLP for angles, one for torques (SoftGrasp, Fig. 4)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from softgrasp_plugin.joints import NUM_JOINTS


def make_head(width: int, hidden_dims: Sequence[int], chunk_size: int) -> nn.Sequential:
    """MLP from a fused vector to six joints at H moments: 768 → 1024 → 1024 → 6·H with the paper's widths.

    Args:
        width: of the fused vector.
        hidden_dims: widths of the hidden layers.
        chunk_size: moments H.

    Returns:
        A module from (B, width) to (B, H·J).
    """
    widths = [width, *hidden_dims]
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], chunk_size * NUM_JOINTS))
