import dataclasses
import json

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
        self.offset_n = 1.0

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        self.closure = closure.copy()
        self.closure[self.stuck] = 0.0
        self.poses.append(self.closure)

    def measure(self) -> tuple[FloatArray, FloatArray]:
        return self.closure, self.offset_n + 2.0 * self.closure


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


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("free_air", "force_n", 1, 3), 25.0, r"free_air\.force_n\[1\] of index_bend must be .*, got 25"),
        (("free_air", "force_n", 0, 0), -25.0, "little_bend must be"),
        (("free_air", "force_n", 0, 0), 1e308, "little_bend must be"),
        (("free_air", "closure", 2, 0), 7.0, r"free_air\.closure\[2\] of little_bend"),
        (("free_air", "closure", 0, 0), float("nan"), "increase"),
        (("motors", "index_bend", "id"), 253, r"motors\.index_bend\.id must be"),
        (("motors", "index_bend", "id"), True, r"motors\.index_bend\.id must be"),
        (("motors", "index_bend", "id"), "4", r"motors\.index_bend\.id must be a whole number"),
        (("motors", "index_bend", "drive_mode"), 2, "drive_mode"),
        (("motors", "index_bend", "homing_offset"), 10**9, "homing_offset"),
        (("motors", "index_bend", "range_max"), 2**31, "range_max"),
        (("motors", "index_bend", "range_max"), 1000, "not below"),
        (("motors", "index_bend", "range_min"), 1.5, "whole number"),
        (("motors", "sixth_finger"), {}, "sixth_finger|missing"),
        (("motors",), [], "items"),
        (("hand",), 3, "hand must be a name"),
    ],
)
def test_values_that_no_hand_has_are_refused_at_load(
    place: tuple[str | int, ...], value: object, message: str
) -> None:
    document = json.loads(calibration().to_json())
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ValueError, match=f"(?s)no calibration of a hand.*({message}).*lerobot-calibrate"):
        HandCalibration.from_json(json.dumps(document))


def test_a_sensor_that_reads_too_much_in_free_air_is_noticed_when_calibrating() -> None:
    link = PaperHand()
    link.offset_n = 9.0
    with pytest.raises(DeviceNotCalibratedError, match=r"little_bend must be .*got 9.*zero its own sensors"):
        free_air(link)
