"""The feel channel: the newest hand sample, handed from the hand to the glove inside one process.

No stock LeRobot command carries force back to a teleoperator, so the force travels beside the record loop and
at its own rate. The channel is a slot, not a queue: a glove wants the newest torque or none.
"""

from .hand_sample import HandSample


class FeelChannel:
    """A latest-value slot; writing and reading one reference is atomic, so neither side ever waits."""

    def __init__(self) -> None:
        self._sample: HandSample | None = None

    def publish(self, sample: HandSample) -> None:
        self._sample = sample

    def clear(self) -> None:
        """Forget the sample, as when the hand disconnects."""
        self._sample = None

    def latest(self) -> HandSample | None:
        """The newest sample, or None if the hand has not spoken since it connected."""
        return self._sample


_channels: dict[str, FeelChannel] = {}


def feel_channel(name: str = "default") -> FeelChannel:
    """The process-wide channel of that name; the robot and the teleoperator of one rig use the same name."""
    return _channels.setdefault(name, FeelChannel())
