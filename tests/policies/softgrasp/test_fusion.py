import pytest
import torch

from softgrasp_plugin.policies.softgrasp.fusion import SelfAttentionFusion, attention_scores


def test_scores_are_the_normalised_column_sums() -> None:
    weights = torch.tensor([[[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [0.1, 0.1, 0.8]]]).unsqueeze(1)
    torch.testing.assert_close(attention_scores(weights), torch.tensor([[0.9, 0.5, 1.6]]) / 3)


def test_scores_average_the_heads() -> None:
    to_first = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    to_second = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    weights = torch.stack([to_first, to_second, to_second, to_second]).unsqueeze(0)  # (1, 4, 2, 2)
    torch.testing.assert_close(attention_scores(weights), torch.tensor([[0.25, 0.75]]))


@pytest.mark.parametrize("num_heads", [1, 4])
def test_fusion_equals_torchs_attention(num_heads: int) -> None:
    fusion = SelfAttentionFusion(num_modalities=3, token_dim=8, num_heads=num_heads, residual=False)
    reference = torch.nn.MultiheadAttention(8, num_heads, bias=False, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(
            torch.cat([fusion.query.weight, fusion.key.weight, fusion.value.weight])
        )
        reference.out_proj.weight.copy_(fusion.output.weight)
    tokens = torch.randn(5, 3, 8)
    expected, expected_weights = reference(tokens, tokens, tokens, average_attn_weights=False)
    fused, weights = fusion(tokens)
    torch.testing.assert_close(fused, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_residual_adds_the_tokens() -> None:
    tokens = torch.randn(2, 3, 8)
    fusion = SelfAttentionFusion(3, 8, 2, residual=False)
    plain, _ = fusion(tokens)
    fusion.residual = True
    torch.testing.assert_close(fusion(tokens)[0], plain + tokens)


def test_a_single_modality_has_neither_queries_nor_keys() -> None:
    fusion = SelfAttentionFusion(num_modalities=1, token_dim=8, num_heads=2, residual=False)
    assert {name for name, _ in fusion.named_parameters()} == {"value.weight", "output.weight"}
    _, weights = fusion(torch.randn(4, 1, 8))
    torch.testing.assert_close(attention_scores(weights), torch.ones(4, 1))
