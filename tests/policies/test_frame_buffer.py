import pytest
import torch

from softgrasp_plugin.policies.frame_buffer import FrameBuffer


def _frame(tick: int) -> dict[str, torch.Tensor]:
    return {"angle": torch.full((2, 1), float(tick))}


def _stack(buffer: FrameBuffer) -> list[float]:
    return buffer.stack()["angle"][0, :, 0].tolist()


def test_the_first_frame_stands_for_its_own_past() -> None:
    buffer = FrameBuffer(num_stack=3, frameskip=5)
    buffer.append(_frame(7))
    assert _stack(buffer) == [7, 7, 7]


def test_the_stack_is_ten_five_and_no_ticks_old() -> None:
    buffer = FrameBuffer(num_stack=3, frameskip=5)
    for tick in range(30):
        buffer.append(_frame(tick))
        assert _stack(buffer) == [max(0, tick - 10), max(0, tick - 5), tick]


def test_a_single_frame_stack_is_the_newest_frame() -> None:
    buffer = FrameBuffer(num_stack=1, frameskip=5)
    for tick in range(3):
        buffer.append(_frame(tick))
        assert _stack(buffer) == [tick]


def test_reset_forgets_the_episode() -> None:
    buffer = FrameBuffer(num_stack=3, frameskip=1)
    for tick in range(5):
        buffer.append(_frame(tick))
    buffer.reset()
    buffer.append(_frame(9))
    assert _stack(buffer) == [9, 9, 9]


def test_a_batch_that_changes_within_an_episode_is_refused() -> None:
    buffer = FrameBuffer(num_stack=3, frameskip=1)
    buffer.append(_frame(0))
    with pytest.raises(ValueError, match=r"policy\.reset"):
        buffer.append({"angle": torch.zeros(3, 1)})
