"""Multimodal feature fusion (SoftGrasp, section 3.2.2) and the attention scores read from it (Eqs. (8)–(10)).

Shapes: B samples, M modalities (3 in the paper), D token width, H heads, d = D / H.
"""

import math

import torch
from torch import Tensor, nn


class SelfAttentionFusion(nn.Module):
    """Multi-head self-attention between the tokens of the modalities, Eqs. (2)–(4).

    With a single modality the softmax of Eq. (3) is over one element, so W^Q and W^K have no effect and are
    not created.
    """

    def __init__(self, num_modalities: int, token_dim: int, num_heads: int, residual: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.residual = residual
        self.attends = num_modalities > 1
        if self.attends:
            self.query = nn.Linear(token_dim, token_dim, bias=False)  # W^Q of all heads
            self.key = nn.Linear(token_dim, token_dim, bias=False)  # W^K
        self.value = nn.Linear(token_dim, token_dim, bias=False)  # W^V
        self.output = nn.Linear(token_dim, token_dim, bias=False)  # W^O

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse the tokens F.

        Args:
            tokens: F, (B, M, D).

        Returns:
            The fused features M of Eq. (4), (B, M, D), and the attention matrices (B, H, M, M), whose rows
            sum to 1.
        """
        value = self._split_heads(self.value(tokens))  # (B, H, M, d)
        if self.attends:
            query, key = self._split_heads(self.query(tokens)), self._split_heads(self.key(tokens))  # Eq. (2)
            weights = torch.softmax(
                query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]), dim=-1
            )  # (B, H, M, M)
        else:
            weights = value.new_ones(*value.shape[:2], 1, 1)
        heads = weights @ value  # Eq. (3), (B, H, M, d)
        fused = self.output(heads.transpose(1, 2).flatten(2))  # Eq. (4), (B, M, D)
        return (fused + tokens if self.residual else fused), weights

    def _split_heads(self, projected: Tensor) -> Tensor:  # (B, M, D) -> (B, H, M, d)
        return projected.view(*projected.shape[:2], self.num_heads, -1).transpose(1, 2)


def attention_scores(weights: Tensor) -> Tensor:
    """How much attention each modality receives, Eqs. (8)–(10): column sums of the attention matrix,
    normalised to sum 1.

    Args:
        weights: (B, H, M, M) attention matrices, rows summing to 1. Heads are averaged.

    Returns:
        (B, M), in the order of the tokens.
    """
    received = weights.mean(1).sum(-2)  # W_j = Σ_i w_ij, (B, M)
    return received / received.sum(-1, keepdim=True)
