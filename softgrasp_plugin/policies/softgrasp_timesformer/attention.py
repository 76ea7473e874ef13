"""Divided space–time attention (Bertasius, Wang, Torresani: Is Space-Time Attention All You Need for Video
Understanding?, ICML 2021, arXiv 2102.05095, section 3).

Shapes: B samples, S frames, N tokens per frame, D token width.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Multi-head self-attention along the last axis but one; all axes before it are independent."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:  # (…, L, D) -> (…, L, D)
        projected = self.query_key_value(tokens).unflatten(-1, (3, self.num_heads, -1))  # (…, L, 3, h, d)
        query, key, value = projected.movedim(-3, 0).transpose(-3, -2).flatten(1, -4)  # (·, h, L, d) each
        attended = F.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.output(attended.transpose(1, 2).reshape(tokens.shape))
        return mixed


class DividedBlock(nn.Module):
    """Attention over time, then over space, then an MLP; each on normalised tokens and added to them."""

    def __init__(self, dim: int, num_heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm_time = nn.LayerNorm(dim)
        self.time = SelfAttention(dim, num_heads)
        self.norm_space = nn.LayerNorm(dim)
        self.space = SelfAttention(dim, num_heads)
        self.norm_mlp = nn.LayerNorm(dim)
        hidden = int(dim * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, class_token: Tensor, tokens: Tensor, *, is_last: bool = False) -> tuple[Tensor, Tensor]:
        """Let the tokens attend.

        Args:
            class_token: (B, 1, D). It has no place in time: it is absent from the attention over time and
                takes part in the attention over space of every frame.
            tokens: (B, S, N, D).
            is_last: nobody looks at the tokens any more, and their MLP is left out.

        Returns:
            Both, of the same shapes.
        """
        # Every token looks at its own place in the other frames.
        over_time = self.time(self.norm_time(tokens).transpose(1, 2)).transpose(1, 2)
        tokens = tokens + over_time  # (B, S, N, D)
        # Every token looks at the tokens of its own frame, among them a copy of the class token …
        copies = class_token.unsqueeze(1).expand(-1, tokens.shape[1], -1, -1)  # (B, S, 1, D)
        over_space = self.space(self.norm_space(torch.cat([copies, tokens], dim=2)))  # (B, S, 1+N, D)
        class_token = class_token + over_space[:, :, 0].mean(1, keepdim=True)  # … whose findings are averaged
        tokens = tokens + over_space[:, :, 1:]
        class_token = class_token + self.mlp(self.norm_mlp(class_token))
        if is_last:
            return class_token, tokens
        return class_token, tokens + self.mlp(self.norm_mlp(tokens))
