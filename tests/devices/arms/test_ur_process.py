"""The helper's side of the arm over a pretended controller, in this process."""

import threading
import time
from multiprocessing import Pipe

import numpy as np
import pytest

from softgrasp_plugin.devices.arms.config import URArmConfig
from softgrasp_plugin.devices.arms.ur_process import serve
from softgrasp_plugin.devices.errors import DeviceFaultError, DeviceLostError


class FakeLink:
    """Kinematics of a lift: joint 1 turns by `turn` radians per metre; the joints go where they are sent.

    `targets` are what was sent.
    """

    def __init__(self, joints, turn: float = 2.0) -> None:
        self.joints = np.array(joints, dtype=float)
        self.turn = turn
        self.calls: list[str] = []
        self.fault: Exception | None = None
        self.targets: list[np.ndarray] = []
        self.is_standing = False
        self.stands = True

    def check(self) -> None:
        if self.fault is not None:
            raise self.fault

    def check_program(self) -> None:
        pass

    def set_tool(self) -> None:
        self.calls.append("set_tool")

    def arm_watchdog(self) -> None:
        self.calls.append("arm_watchdog")

    def forward(self, joints):
        return np.array([0.0, 0.0, joints[1] / self.turn, 0, 0, 0])

    def inverse(self, pose, near):
        return np.array([0.0, self.turn * pose[2], 0, 0, 0, 0])

    def servo(self, joints, dt_s) -> None:
        self.targets.append(joints)
        if not self.is_standing:
            self.joints = joints

    def heights(self) -> np.ndarray:
        return np.stack(self.targets)[:, 1] / self.turn

    def close(self) -> bool:
        self.calls.append("close")
        return self.stands


class Helper:
    def __init__(self, link: FakeLink, **options) -> None:
        self.link = link
        self.connection, other = Pipe()
        self._other = other
        config = URArmConfig(host="10.0.0.1", grasp_joints=(0.0,) * 6, **options)
        self.connection.send(("config", config))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        serve(self._other, lambda _: self.link)
        self._other.close()

    def hear(self, word: str):
        deadline = time.monotonic() + 10.0
        while True:
            assert time.monotonic() < deadline, f"no {word!r} within 10 s"
            assert self.connection.poll(5.0), "no heartbeat within 5 s"
            kind, *rest = self.connection.recv()
            if kind == word:
                return rest
            assert kind != "fault", rest

    def join(self) -> None:
        self._thread.join(5.0)
        assert not self._thread.is_alive()


def test_approaches_then_lifts_then_hangs_up() -> None:
    link = FakeLink([0.0, 0.05, 0, 0, 0, 0])
    helper = Helper(link)
    helper.hear("ready")
    assert np.abs(link.joints).max() < 0.02
    helper.connection.send(("lift", 0.05))
    deadline = time.monotonic() + 5
    while abs(link.joints[1] - 0.1) > 1e-3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    helper.connection.send(("stop", None))
    helper.join()
    assert link.calls == ["set_tool", "arm_watchdog", "close"]


def test_no_height_that_is_asked_for_is_above_the_highest() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link, max_height_m=0.04)
    helper.hear("ready")
    # Past `URArm`, which would not send it.
    helper.connection.send(("lift", 1.0))
    deadline = time.monotonic() + 5
    while link.heights()[-1] < 0.04 - 1e-4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)
    assert link.heights().max() <= 0.04 + 1e-4
    # The plan ends there, too; the braking has to begin before it.
    assert (
        np.abs(np.diff(link.heights(), 2)).max()
        <= 1.5 * URArmConfig(host="10.0.0.1", grasp_joints=(0.0,) * 6).max_acceleration_m_s2 * (1 / 125) ** 2
    )
    helper.connection.send(("stop", None))
    helper.join()


def test_our_death_ends_it_properly() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link)
    helper.hear("ready")
    helper.connection.close()
    helper.join()
    assert link.calls[-1] == "close"


def test_a_far_arm_is_not_moved_without_confirmation() -> None:
    link = FakeLink([1.0, 0, 0, 0, 0, 0])
    helper = Helper(link)
    kind, (_, problem, remedy) = helper.hear("fault")
    assert kind is DeviceFaultError
    assert "1.00 rad from the grasp pose" in problem
    assert "confirm_approach" in remedy
    assert link.joints[0] == 1.0
    helper.join()


def test_a_confirmed_approach_moves_from_afar() -> None:
    link = FakeLink([0.9, 0, 0, 0, 0, 0])
    helper = Helper(link, confirm_approach=True, approach_speed_rad_s=1.0, approach_acceleration_rad_s2=5.0)
    helper.hear("ready")
    helper.connection.send(("stop", None))
    helper.join()


@pytest.mark.parametrize(("turn", "reason"), [(10.0, "turn at 1.50 rad/s"), (200.0, "turn over")])
def test_a_lift_through_a_singularity_is_refused_before_anything_moves(turn, reason) -> None:
    link = FakeLink([0.1, 0, 0, 0, 0, 0], turn)
    helper = Helper(link)
    _, (_, problem, _) = helper.hear("fault")
    assert reason in problem
    assert link.joints[0] == 0.1


def test_a_stop_of_the_arm_is_reported_and_hung_up() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link)
    helper.hear("ready")
    link.fault = DeviceFaultError("UR arm", "protective stop.", "Release it.")
    kind, arguments = helper.hear("fault")
    assert (kind, arguments) == (DeviceFaultError, ("UR arm", "protective stop.", "Release it."))
    helper.join()
    assert link.calls[-1] == "close"


def test_a_lost_link_is_not_spoken_to_again() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link)
    helper.hear("ready")
    link.fault = DeviceLostError("UR arm", "nothing heard.", "Look at the cable.")
    assert helper.hear("fault")[0] is DeviceLostError
    helper.join()
    assert "close" not in link.calls


@pytest.mark.parametrize("stands", [True, False])
def test_the_last_word_is_whether_it_was_seen_to_stand(stands) -> None:
    link = FakeLink(np.zeros(6))
    link.stands = stands
    helper = Helper(link)
    helper.hear("ready")
    helper.connection.send(("stop", None))
    assert helper.hear("stopped") == [stands]
    helper.join()


def test_any_other_error_reaches_the_other_end() -> None:
    link = FakeLink(np.zeros(6))
    link.fault = ZeroDivisionError("oops")
    helper = Helper(link)
    assert helper.hear("fault") == [RuntimeError, ("oops",)]


PERIOD_S = 1 / 125


def wait_until(done) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_height_above_the_highest_ever_reaches_the_wire() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link, max_height_m=0.05)
    helper.hear("ready")
    helper.connection.send(("lift", 5.0))
    wait_until(lambda: link.heights()[-1] > 0.0499)
    time.sleep(0.1)
    assert link.heights().max() <= 0.05 + 1e-5
    # Nor did the way to a height beyond go on somewhere else: it turns round at once.
    helper.connection.send(("lift", -5.0))
    wait_until(lambda: link.heights()[-1] < 0.049)
    wait_until(lambda: link.heights()[-1] < 1e-4)
    time.sleep(0.1)
    assert link.heights().min() >= -1e-5
    helper.connection.send(("stop", None))
    helper.join()


def test_every_motion_keeps_to_the_speed_and_acceleration_of_the_tool() -> None:
    link = FakeLink([0.0, 0.1, 0, 0, 0, 0])
    helper = Helper(link, max_speed_m_s=0.03, max_acceleration_m_s2=0.15, approach_speed_rad_s=1.0)
    helper.hear("ready")
    assert link.heights()[0] == pytest.approx(0.05, abs=1e-4), "it was up"
    helper.connection.send(("lift", 0.03))
    wait_until(lambda: link.heights()[-1] > 0.029)
    helper.connection.send(("lift", 0.0))
    wait_until(lambda: link.heights()[-1] < 0.015)
    sent = len(link.targets)
    helper.connection.send(("stop", None))
    helper.join()
    speeds = np.diff(link.heights()) / PERIOD_S
    assert np.abs(speeds).max() <= 0.03 * (1 + 1e-6)
    # Where the approach hands over to the lift the two paths are a micrometre apart.
    assert np.abs(np.diff(speeds)).max() <= 0.15 * PERIOD_S + 3e-4
    assert abs(speeds[-1]) <= 0.15 * PERIOD_S, "it comes to rest before it hangs up"
    assert len(link.targets) - sent > 10


def test_a_stop_takes_no_longer_than_half_a_second_however_low_the_acceleration() -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link, max_acceleration_m_s2=0.02)
    helper.hear("ready")
    helper.connection.send(("lift", 0.15))
    wait_until(lambda: link.heights()[-1] > 0.01)
    sent = len(link.targets)
    helper.connection.close()
    helper.join()
    assert len(link.targets) - sent <= 0.5 / PERIOD_S + 10
    assert abs(link.heights()[-1] - link.heights()[-2]) < 1e-3 * PERIOD_S


def test_an_arm_that_does_not_follow_is_a_fault() -> None:
    link = FakeLink(np.zeros(6), turn=6.0)
    helper = Helper(link)
    helper.hear("ready")
    link.is_standing = True
    helper.connection.send(("lift", 0.15))
    kind, (_, problem, _) = helper.hear("fault")
    assert kind is DeviceFaultError
    assert "joint 1 reads 0." in problem
    helper.join()


@pytest.mark.parametrize("reading", [np.nan, 6.28, 2.0**31])
def test_a_joint_angle_that_cannot_be_is_a_fault(reading) -> None:
    link = FakeLink(np.zeros(6))
    helper = Helper(link)
    helper.hear("ready")
    link.is_standing = True
    link.joints = np.array([0, 0, reading, 0, 0, 0])
    kind, (_, problem, _) = helper.hear("fault")
    assert kind is DeviceFaultError
    assert "joint 2 reads" in problem
    helper.join()


def test_a_plan_that_the_forward_kinematics_deny_is_refused_before_anything_moves() -> None:
    link = FakeLink([0.1, 0, 0, 0, 0, 0])
    link.forward = lambda joints: np.zeros(6)  # type: ignore[method-assign]
    helper = Helper(link)
    _, (_, problem, _) = helper.hear("fault")
    assert "kinematics are 0.005 m apart" in problem
    assert not link.targets
