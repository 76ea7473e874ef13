"""Rates and seeds of the simulated world."""

FEEDBACK_RATE = 120
"""Samples of the hand per simulated second that reach the feel channel and the glove."""

MAX_SEED = 2**32 - 1
"""Seeds above it are not those of every generator."""

MAX_EPISODE = 10**6
"""More scenes than any session will see."""


def check_rate(name: str, fps: float) -> None:
    """Refuse a control rate whose ticks are not whole numbers of the world's.

    Args:
        name: what the user wrote.
        fps: control ticks per second.

    Raises:
        ValueError: if it does not divide 120.
    """
    is_number = isinstance(fps, int | float) and not isinstance(fps, bool)
    if not is_number or not 1 <= fps <= FEEDBACK_RATE or FEEDBACK_RATE % fps or fps != int(fps):
        raise ValueError(
            f"{name} must divide {FEEDBACK_RATE} (10, 15, 20, 30, 60 …) so that ticks are whole, got {fps!r}."
        )
