"""The feature cache of inference: every frame is encoded once and remembered until it has left the stack."""

from collections import deque

import torch
from torch import Tensor


class FrameBuffer:
    """Ring buffer of per-frame features, one entry per control tick.

    Args:
        num_stack: frames S in the stack.
        frameskip: ticks between two frames of the stack.
    """

    def __init__(self, num_stack: int, frameskip: int) -> None:
        self._frameskip = frameskip
        self._frames: deque[dict[str, Tensor]] = deque(maxlen=(num_stack - 1) * frameskip + 1)

    def reset(self) -> None:
        """Forget the episode."""
        self._frames.clear()

    def append(self, features: dict[str, Tensor]) -> None:
        """Remember the features of this tick, (B, D_f) per modality; the first ones of an episode also stand
        for its past.

        Raises:
            ValueError: if the batch size changed within an episode.
        """
        if not self._frames:
            self._frames.extend([features] * (self._frames.maxlen or 1))
            return
        before, now = (
            {name: len(value) for name, value in frame.items()} for frame in (self._frames[-1], features)
        )
        if before != now:
            raise ValueError(
                f"The batch changed from {before} to {now} within an episode: call policy.reset() between "
                "episodes."
            )
        self._frames.append(features)

    def stack(self) -> dict[str, Tensor]:
        """The stack that ends now, oldest frame first: (B, S, D_f) per modality."""
        chosen = list(self._frames)[:: self._frameskip]
        return {name: torch.stack([frame[name] for frame in chosen], dim=1) for name in chosen[0]}
