import pytest
import torch

from softgrasp_plugin.policies.softgrasp_timesformer.attention import DividedBlock, SelfAttention


@pytest.mark.parametrize("num_heads", [1, 4])
def test_attention_equals_torchs(num_heads: int) -> None:
    attention = SelfAttention(8, num_heads)
    reference = torch.nn.MultiheadAttention(8, num_heads, batch_first=True)
    with torch.no_grad():
        reference.in_proj_weight.copy_(attention.query_key_value.weight)
        reference.in_proj_bias.copy_(attention.query_key_value.bias)
        reference.out_proj.weight.copy_(attention.output.weight)
        reference.out_proj.bias.copy_(attention.output.bias)
    tokens = torch.randn(5, 7, 8)
    expected, _ = reference(tokens, tokens, tokens)
    torch.testing.assert_close(attention(tokens), expected)


def test_axes_before_the_sequence_are_independent() -> None:
    attention = SelfAttention(8, 2)
    tokens = torch.randn(2, 3, 5, 8)
    torch.testing.assert_close(attention(tokens)[1, 2], attention(tokens[1, 2].unsqueeze(0))[0])


def _reached(class_changed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Which tokens of a block's output change when one of its inputs does: (S, N), and the class token."""
    torch.manual_seed(0)
    block = DividedBlock(8, 2, 2.0)
    class_token, tokens = torch.randn(1, 1, 8), torch.randn(1, 3, 4, 8)
    before_class, before = block(class_token, tokens)
    if class_changed:
        class_token = class_token + torch.randn(8)
    else:
        tokens = tokens.clone()
        tokens[0, 1, 2] += torch.randn(8)
    after_class, after = block(class_token, tokens)
    return (after != before).any(-1)[0], (after_class != before_class).any()


def test_space_and_time_are_attended_to_one_after_the_other() -> None:
    tokens, class_token = _reached(class_changed=False)
    # Over time the change reaches the same place in every frame, from there all places of each frame.
    assert tokens.all()
    assert class_token


def test_without_the_attention_over_time_frames_meet_in_the_class_token_only() -> None:
    torch.manual_seed(0)
    block = DividedBlock(8, 2, 2.0)
    with torch.no_grad():
        block.time.output.weight.zero_()
    class_token, tokens = torch.randn(1, 1, 8), torch.randn(1, 3, 4, 8)
    before_class, before = block(class_token, tokens)
    tokens = tokens.clone()
    tokens[0, 1, 2] += torch.randn(8)
    after_class, after = block(class_token, tokens)
    assert (after != before).any(-1)[0].tolist() == [[False] * 4, [True] * 4, [False] * 4]
    assert (after_class != before_class).any()


def test_the_class_token_takes_part_in_every_frame() -> None:
    tokens, class_token = _reached(class_changed=True)
    assert tokens.all()
    assert class_token


def test_the_last_block_gives_the_same_class_token() -> None:
    block = DividedBlock(8, 2, 2.0)
    class_token, tokens = torch.randn(2, 1, 8), torch.randn(2, 3, 4, 8)
    torch.testing.assert_close(
        block(class_token, tokens, is_last=True)[0], block(class_token, tokens, is_last=False)[0]
    )
