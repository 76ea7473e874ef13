"""One tick of the glove: read it, feel what the hand feels, push back."""

import math
from collections.abc import Callable

from ...grasping.force_feedback import FeedbackCommand, ForceFeedback
from ..errors import DeviceError, DeviceLostError
from ..feel import FeelChannel
from ..hand_sample import HandSample
from .protocol import Glove


class FeedbackLoop:
    """Carries force from the feel channel to a glove, by Algorithm 1.

    Whoever owns the glove calls `tick` at the glove's own rate: a driver's thread, or the simulation inside
    its lock-step world.

    Args:
        glove: a connected glove.
        channel: where the hand publishes its samples.
        feedback: Algorithm 1 with its settings; this loop becomes its only user.
        clock: seconds, on the clock that stamps the hand's samples.

    Attributes:
        felt: the hand's sample that the last tick felt; None if there was none.
    """

    def __init__(
        self, glove: Glove, channel: FeelChannel, feedback: ForceFeedback, clock: Callable[[], float]
    ) -> None:
        self._glove = glove
        self._channel = channel
        self._feedback = feedback
        self._clock = clock
        self._last_tick: float | None = None
        self.felt: HandSample | None = None

    def reset(self) -> None:
        """Start anew, with every joint of the glove free."""
        self._feedback.reset()
        self._last_tick = None
        self._glove.release()

    def tick(self) -> FeedbackCommand:
        """Read the glove, apply Algorithm 1 to the hand's newest sample and render the result.

        Returns:
            What the glove was told.

        Raises:
            Exception: whatever reading, computing or rendering raised, after the glove has been released.
        """
        try:
            return self._tick()
        except BaseException as error:
            # Also a KeyboardInterrupt must not leave a motor pulling at somebody's finger.
            self._feedback.reset()
            self._last_tick = None
            try:
                self._glove.release()
            except DeviceError as unreleased:
                if not isinstance(error, DeviceError):
                    raise
                # What came first is the cause, and what helps; that nothing is known about the force ends it.
                raise DeviceLostError(
                    error.device,
                    f"{error.problem} Then {unreleased.problem}",
                    f"{error.remedy} {unreleased.remedy}",
                ) from error
            raise

    def _tick(self) -> FeedbackCommand:
        angle = self._glove.read().angle
        self.felt = hand = self._channel.latest()
        now = self._clock()
        dt_s = 0.0 if self._last_tick is None else now - self._last_tick
        self._last_tick = now
        if hand is None or not hand.measures_torque:
            command = self._feedback.update(None, None, angle, math.inf, dt_s)
        else:
            command = self._feedback.update(hand.torque, hand.closure, angle, now - hand.timestamp, dt_s)
        self._glove.render(command.torque, command.angle)
        return command
