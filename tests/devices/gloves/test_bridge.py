import contextlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import DeviceError, DeviceLostError, DeviceSilentError
from softgrasp_plugin.devices.gloves.bridge import BridgeGlove
from softgrasp_plugin.devices.gloves.bridge_messages import (
    MAX_BYTES,
    FeedbackMessage,
    GloveMessage,
    encode_feedback,
    encode_glove,
)
from softgrasp_plugin.devices.gloves.config import BridgeGloveConfig
from softgrasp_plugin.emulators.bridge_glove import BridgeGloveEmulator
from softgrasp_plugin.joints import JOINTS


def test_an_address_open_to_the_network_needs_a_peer() -> None:
    with pytest.raises(ValueError, match="peer"):
        BridgeGloveConfig(bind="0.0.0.0")
    assert BridgeGloveConfig(bind="0.0.0.0", peer="192.168.1.7").peer == "192.168.1.7"


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def program(port):
    with BridgeGloveEmulator(("127.0.0.1", port)) as program:
        yield program


@pytest.fixture
def glove(port, program):
    glove = BridgeGlove(BridgeGloveConfig(udp_port=port), {})
    glove.connect()
    yield glove
    program.faults.is_deaf = program.faults.is_silent = program.faults.replay = False
    if glove.is_connected:
        read_until(glove, lambda: True)
        glove.disconnect()


def read_for_a_second(glove: BridgeGlove) -> None:
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        glove.read()


def read_until(glove: BridgeGlove, done) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            glove.read()
        except DeviceSilentError:
            continue
        if done():
            return
    raise AssertionError("did not happen within 5 s")


def test_reads_the_angles_and_sends_the_force(glove, program) -> None:
    program.angle = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    read_until(glove, lambda: np.allclose(glove.read().angle, program.angle))
    force = np.array([0, 0, 0, 1.5, 2.5, 0])
    deadline = time.monotonic() + 5
    while not np.array_equal(program.force, force):
        glove.render(force, program.angle)
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_force_ends_by_itself_when_we_fall_silent(glove, program) -> None:
    glove.render(np.ones(6), np.zeros(6))
    deadline = time.monotonic() + 5
    while program._feedback is None or program.force.any():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_release_waits_for_the_confirmation(glove, program) -> None:
    glove.render(np.ones(6), np.zeros(6))
    glove.release()
    assert not program.force.any()


def test_release_without_confirmation_says_so(glove, program) -> None:
    program.faults.is_deaf = True
    with pytest.raises(DeviceLostError, match=r"did not confirm.*power away"):
        glove.release()


def test_a_silent_program_is_an_error_that_names_the_remedy(glove, program) -> None:
    program.faults.is_silent = True
    with pytest.raises(DeviceSilentError, match=r"bridge glove on udp://127.0.0.1.*Start the glove program"):
        read_for_a_second(glove)


def test_reordered_messages_change_nothing(glove, program) -> None:
    glove.read()
    program.faults.replay = True
    with pytest.raises(DeviceSilentError):
        read_for_a_second(glove)
    with pytest.raises(DeviceSilentError):  # nor does it become new by waiting
        read_for_a_second(glove)
    assert glove.dropped["reordered"] > 0


def test_a_program_that_starts_again_is_taken_up(glove, program) -> None:
    program.faults.is_silent = True
    with pytest.raises(DeviceSilentError):
        read_for_a_second(glove)
    program._seq, program.angle, program.faults.is_silent = 0, np.full(6, 0.5), False
    read_until(glove, lambda: glove.read().angle.all())


def test_a_repeated_message_is_dropped(glove, program) -> None:
    glove.read()
    sender, seq = glove._peer, glove._message.seq
    glove._take(encode_glove(GloveMessage(seq, np.ones(6), None)), sender)
    assert glove.dropped["reordered"] == 1
    assert not glove._message.angle.any()


def test_a_look_takes_a_bounded_number_of_datagrams(glove) -> None:
    """Under a flood the socket never runs empty."""

    class Flooded:
        taken = 0

        def settimeout(self, _: float) -> None: ...

        def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
            self.taken += 1
            assert self.taken < 10_000, "without end"
            return b"x", ("127.0.0.1", 9)

    opened, glove._socket = glove._socket, Flooded()
    glove._take_waiting()
    glove._discard()
    glove._socket = opened


def test_the_last_error_names_why_messages_were_refused(glove, program) -> None:
    program.faults.is_silent = True
    sender, glove._heard_at = glove._peer, -np.inf
    bad = json.dumps({"softgrasp_glove": 1, "seq": 10**9, "angle": [1.3] * 6}).encode()
    waiting = glove._take_waiting

    def refused(timeout_s: float = 0.0) -> None:
        glove._take(bad, sender)
        waiting(min(timeout_s, 0.01))

    glove._take_waiting = refused
    with pytest.raises(DeviceSilentError, match=r"malformed.*refused.*lie in 0…1, got 1.3.*Correct"):
        glove._receive(0.1)
    del glove._take_waiting


@pytest.mark.parametrize("reading", [0.05, 0.95])
def test_force_never_drives_a_finger_back_into_the_calibrated_range(port, program, reading) -> None:
    calibration = {joint: MotorCalibration(i, 0, 0, 2000, 6000) for i, joint in enumerate(JOINTS)}
    glove = BridgeGlove(BridgeGloveConfig(udp_port=port), calibration)
    program.angle = np.full(6, reading)
    glove.connect()
    read_until(glove, lambda: np.allclose(glove._message.angle, reading))
    glove.render(np.full(6, 50.0), glove.read().angle)
    read_until(glove, lambda: program._feedback is not None)
    np.testing.assert_allclose(program._feedback.angle, reading, atol=1e-3)
    np.testing.assert_allclose(program._feedback.force, 10.0)
    glove.disconnect()


def test_another_gloves_calibration_is_refused() -> None:
    calibration = {joint: MotorCalibration(i + 1, 0, 0, 2000, 6000) for i, joint in enumerate(JOINTS)}
    with pytest.raises(ValueError, match="has id 0 in this glove and 1"):
        BridgeGlove(BridgeGloveConfig(), calibration)


def test_garbage_and_oversized_datagrams_change_nothing(glove, program) -> None:
    oversized = encode_glove(GloveMessage(10**9, np.ones(6), None)) + b" " * MAX_BYTES
    program.faults.extra = [b"\xff\x00garbage", b"{}", oversized]
    read_until(glove, lambda: glove.dropped["malformed"] == 2 and glove.dropped["oversized"] == 1)
    np.testing.assert_array_equal(glove.read().angle, 0.0)


def test_a_second_program_is_foreign_until_the_first_is_silent(glove, port, program) -> None:
    with BridgeGloveEmulator(("127.0.0.1", port)) as other:
        other.angle = np.ones(6)
        already = other._seq
        read_until(glove, lambda: other._seq > already + 20)
        np.testing.assert_array_equal(glove.read().angle, 0.0)
        glove._take(encode_glove(GloveMessage(10**9, np.ones(6), None)), ("127.0.0.1", 9))
        assert glove.dropped["foreign"] == 1
        np.testing.assert_array_equal(glove.read().angle, 0.0)
        program.faults.is_silent = True
        read_until(glove, lambda: glove.read().angle.all())
        glove.disconnect()


def test_a_flood_of_others_finds_no_room_in_the_socket(glove, port, program) -> None:
    glove.read()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(2_000):  # more than a socket's buffer holds
            with contextlib.suppress(ConnectionRefusedError):
                stranger.sendto(b"x", ("127.0.0.1", port))
    program.angle = np.full(6, 0.7)
    read_until(glove, lambda: np.allclose(glove.read().angle, 0.7))
    assert not glove.dropped


def test_what_waited_while_nobody_read_is_void(glove, program) -> None:
    program.angle = np.full(6, 0.3)
    time.sleep(0.3)
    program.angle = np.full(6, 0.9)
    program.faults.is_silent = True
    time.sleep(0.2)
    with pytest.raises(DeviceSilentError):
        glove.read()
    assert glove.dropped["late"] > 0


def test_a_calibration_scales_both_ways(port, program) -> None:
    calibration = {joint: MotorCalibration(i, 0, 0, 2000, 6000) for i, joint in enumerate(JOINTS)}
    glove = BridgeGlove(BridgeGloveConfig(udp_port=port), calibration)
    glove.connect()
    program.angle = np.full(6, 0.4)
    read_until(glove, lambda: np.allclose(glove.read().angle, 0.5))
    glove.render(np.ones(6), np.full(6, 0.25))
    read_until(glove, lambda: program._feedback is not None)
    np.testing.assert_allclose(program._feedback.angle, 0.3)
    glove.disconnect()


def test_calibrates_like_any_glove(glove, program, monkeypatch) -> None:
    poses = iter([0.2, 0.7])

    def wear(_: str) -> None:
        program.angle = np.full(6, next(poses))
        time.sleep(0.2)

    monkeypatch.setattr("builtins.input", wear)
    calibration = glove.calibrate()
    assert (calibration["ring_bend"].range_min, calibration["ring_bend"].range_max) == (2000, 7000)


def test_nobody_there_is_told_at_connect(port) -> None:
    glove = BridgeGlove(BridgeGloveConfig(udp_port=port), {}, clock=iter(range(0, 1000, 2)).__next__)
    with pytest.raises(DeviceError, match=r"no message for 5 s"):
        glove.connect()
    assert not glove.is_connected


def test_the_example_program_speaks_with_the_driver(port) -> None:
    example = Path(__file__).parents[3] / "docs" / "examples" / "bridge_glove.py"
    process = subprocess.Popen(
        [sys.executable, example, "127.0.0.1", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        glove = BridgeGlove(BridgeGloveConfig(udp_port=port), {})
        glove.connect()
        first = glove.read().angle
        assert first[5] == 0.5
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            press = FeedbackMessage(10**9, np.full(6, 9.0), first)
            for datagram in (b"no message", encode_feedback(press)):
                stranger.sendto(datagram, glove._peer)
        read_until(glove, lambda: not np.array_equal(glove.read().angle, first))
        glove.render(np.full(6, 1.5), first)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("force [1.5")
        glove.disconnect()
    finally:
        process.terminate()
        process.wait()


def test_a_new_socket_is_no_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the glove's thread hears everybody again, whoever asks gets the same answers as before."""
    glove = BridgeGlove(BridgeGloveConfig(udp_port=0), {})
    glove._socket = glove._listen(0)
    glove._port = int(glove._socket.getsockname()[1])
    listen, before, seen = glove._listen, str(glove), []

    def watched(port: int) -> socket.socket:
        seen.append((glove.is_connected, str(glove)))
        return listen(port)

    monkeypatch.setattr(glove, "_listen", watched)
    glove._listen_to_everybody()
    assert seen == [(True, before)]
    glove._close()
    assert not glove.is_connected
