import dataclasses

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import DeviceNotCalibratedError
from softgrasp_plugin.devices.hands.calibration import (
    FreeAirForce,
    FreeAirSweep,
    HandCalibration,
    measure_free_air,
)
from softgrasp_plugin.joints import FINGERS, JOINTS, NUM_JOINTS, THUMB_BEND, THUMB_SWING, FloatArray


class PaperHand:
    """A hand link that goes where it is sent at once, and whose sensors read 1 + 2 * closure newtons."""

    device = "paper hand"
    is_open = True

    def __init__(self) -> None:
        self.closure: FloatArray = np.zeros(NUM_JOINTS)
        self.stuck: list[int] = []
        self.poses: list[FloatArray] = []

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        self.closure = closure.copy()
        self.closure[self.stuck] = 0.0
        self.poses.append(self.closure)

    def measure(self) -> tuple[FloatArray, FloatArray]:
        return self.closure, 1.0 + 2.0 * self.closure


def free_air(link: PaperHand) -> FreeAirForce:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    sweep = FreeAirSweep(stops=(0.0, 0.5, 0.9), samples=2)
    limit = np.full(NUM_JOINTS, 5.0)
    return measure_free_air(link, limit, sweep, clock=lambda: now[0], sleep=sleep)  # type: ignore[arg-type]


def test_the_free_air_force_is_what_the_sensors_read() -> None:
    link = PaperHand()
    measured = free_air(link)
    assert measured.closure[:, 0].tolist() == [0.0, 0.5, 0.9]
    assert measured.at(np.full(NUM_JOINTS, 0.25)) == pytest.approx(np.full(NUM_JOINTS, 1.5))
    assert measured.at(np.full(NUM_JOINTS, 1.0)) == pytest.approx(np.full(NUM_JOINTS, 2.8))
    assert link.closure.tolist() == [0.0] * NUM_JOINTS


def test_thumb_and_fingers_never_close_together() -> None:
    link = PaperHand()
    free_air(link)
    for pose in link.poses:
        assert sum(bool(np.any(pose[part] > 0)) for part in (FINGERS, [THUMB_BEND], [THUMB_SWING])) <= 1


def test_a_joint_that_does_not_move_is_named() -> None:
    link = PaperHand()
    link.stuck = [THUMB_BEND]
    with pytest.raises(
        DeviceNotCalibratedError, match="paper hand: thumb_bend did not get where it was sent"
    ):
        free_air(link)


def calibration() -> HandCalibration:
    closure = np.repeat([[0.0], [0.5], [1.0]], NUM_JOINTS, axis=1)
    motors = {joint: MotorCalibration(i + 1, i % 2, -3, 1000, 3000) for i, joint in enumerate(JOINTS)}
    return HandCalibration(FreeAirForce(closure, 2.0 * closure), motors)


def test_survives_a_file() -> None:
    original = calibration()
    copy = HandCalibration.from_json(original.to_json())
    assert copy.motors == original.motors
    assert np.array_equal(copy.free_air.closure, original.free_air.closure)
    assert np.array_equal(copy.free_air.force_n, original.free_air.force_n)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2}', '{"version": 1, "free_air": 3, "motors": {}}']
)
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no calibration of a hand.*lerobot-calibrate"):
        HandCalibration.from_json(text)


def test_impossible_values_are_refused() -> None:
    good = calibration().free_air
    with pytest.raises(ValueError, match="one shape"):
        dataclasses.replace(good, force_n=np.zeros((2, 6)))
    with pytest.raises(ValueError, match="increase"):
        FreeAirForce(good.closure[::-1], good.force_n)
    with pytest.raises(ValueError, match="finite"):
        FreeAirForce(good.closure, good.force_n * np.nan)
