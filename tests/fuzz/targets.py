"""What is fuzzed: every parser of bytes or files from outside, each with inputs near the valid ones.

A target is a function that takes what Hypothesis draws and fails if the parser does anything but read it or
refuse it in its own words. `test_parsers.py` runs them, for a moment or, by `make fuzz`, for as long as you
like.
"""

import json
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dynamixel_sdk as dxl
import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from softgrasp_plugin.datasets.recordings import read_recording
from softgrasp_plugin.datasets.restricted_pickle import RefusedPickleError, loads_plain_pickle
from softgrasp_plugin.devices.arms.config import URArmConfig
from softgrasp_plugin.devices.arms.ur_link import URLink
from softgrasp_plugin.devices.dynamixel.state import STATE_LENGTH, BusState
from softgrasp_plugin.devices.dynamixel.wire import ResyncPacketHandler
from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.devices.gloves.bridge_messages import (
    FeedbackMessage,
    GloveMessage,
    encode_feedback,
    encode_glove,
    parse_feedback,
    parse_glove,
)
from softgrasp_plugin.devices.gloves.encoder_frames import FRAME_BYTES, EncoderFrames, encode_frame
from softgrasp_plugin.devices.hands.calibration import FreeAirForce, HandCalibration
from softgrasp_plugin.devices.hands.modbus import (
    MBAP_SIZE,
    find_rtu_reply,
    is_reply_to,
    read_request,
    registers,
    rtu_frame,
    tcp_frame,
    tcp_message_size,
    write_request,
)
from softgrasp_plugin.devices.hands.rh56_frames import READ, REPLY_HEADER, Frame, FrameParser
from softgrasp_plugin.emulators.dynamixel import packet
from softgrasp_plugin.emulators.rig import motor_calibration
from softgrasp_plugin.grasping.mapping import PAPER_MAPPING, AngleMapping
from softgrasp_plugin.joints import NUM_JOINTS
from tests.datasets.synthetic import make_signals, write_recording

from .damage import NONSENSE, damaged, damaged_json, streams


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        inputs: what it is given.
        check: gives it that, and fails if it misbehaves.
    """

    inputs: SearchStrategy[Any]
    check: Callable[[Any], None]


# RH56 over serial

_frames = st.builds(
    Frame, st.integers(0, 255), st.just(READ), st.sampled_from([1546, 1582, 1606]), st.binary(max_size=20)
).map(lambda frame: frame.encode(REPLY_HEADER))


def _rh56(chunks: list[bytes]) -> None:
    parser, stream = FrameParser(REPLY_HEADER), b"".join(chunks)
    found = [frame for chunk in chunks for frame in parser.feed(chunk)]
    for frame in found:
        assert frame.encode(REPLY_HEADER) in stream
    assert found == FrameParser(REPLY_HEADER).feed(stream) or len(chunks) > 1
    assert len(parser._buffer) <= len(stream)


# Modbus

_REQUESTS = (read_request(1546, 6), read_request(1606, 3), write_request(1486, [0] * 6))
_modbus = st.tuples(
    st.sampled_from(_REQUESTS),
    damaged(
        st.one_of(
            st.binary(min_size=12, max_size=12).map(lambda data: rtu_frame(1, b"\x03\x0c" + data)),
            st.integers(0, 255).map(lambda code: rtu_frame(1, bytes([0x83, code]))),
            st.just(rtu_frame(1, write_request(1486, [0] * 6)[:5])),
        )
    ),
)


def _modbus_rtu(drawn: tuple[bytes, bytes]) -> None:
    request, stream = drawn
    reply = find_rtu_reply(stream, 1, request)
    if reply is not None:
        assert is_reply_to(request, reply)
        assert rtu_frame(1, reply) in stream
        if request[0] == reply[0] == 3:
            assert len(registers(reply)) == int.from_bytes(request[3:5], "big")


def _modbus_tcp(data: bytes) -> None:
    head = data[:MBAP_SIZE].ljust(MBAP_SIZE, b"\0")
    size = tcp_message_size(head)
    assert size is None or 1 <= size <= 253
    for request in _REQUESTS:
        if is_reply_to(request, data[MBAP_SIZE:]) and data[MBAP_SIZE] == request[0] == 3:
            registers(data[MBAP_SIZE:])


# Dynamixel


class _Line:
    """The SDK's port, of bytes that have come already; nothing comes after them."""

    def __init__(self, data: bytes) -> None:
        self.is_using = False
        self._data = data

    def readPort(self, length: int) -> bytes:  # noqa: N802 (the SDK's names)
        read, self._data = self._data[:length], self._data[length:]
        return read

    def writePort(self, data: list[int]) -> int:  # noqa: N802
        return len(data)

    def clearPort(self) -> None: ...  # noqa: N802
    def setPacketTimeout(self, length: int) -> None: ...  # noqa: N802

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return not self._data


_states = st.lists(st.binary(min_size=STATE_LENGTH, max_size=STATE_LENGTH), min_size=2, max_size=2).map(
    lambda blocks: b"".join(packet(1 + i, 0x55, b"\0" + block) for i, block in enumerate(blocks))
)


def _dynamixel(data: bytes) -> None:
    handler, line = ResyncPacketHandler(), _Line(data)
    handler.syncReadTx(line, 126, STATE_LENGTH, [1, 2], 2, False)
    blocks = []
    for identity in (1, 2):
        block, result, _ = handler.readRx(line, identity, STATE_LENGTH)
        if result != dxl.COMM_SUCCESS:
            return
        assert len(block) == STATE_LENGTH
        blocks.append(bytes(block))
    assert BusState.from_blocks(blocks).position.shape == (2,)


def _fast_dynamixel(data: bytes) -> None:
    handler, line = ResyncPacketHandler(), _Line(data)
    handler.syncReadTx(line, 126, STATE_LENGTH, [1, 2], 2, True)
    block, result, _ = handler.fastSyncReadRx(line, dxl.BROADCAST_ID, 2 * (STATE_LENGTH + 4))
    assert result != dxl.COMM_SUCCESS or len(block) >= 2 * STATE_LENGTH


# DOGlove

_encoders = st.lists(st.floats(0.0, 360.0), min_size=16, max_size=16).map(
    lambda degrees: encode_frame(np.array(degrees))
)


def _encoder_frames(chunks: list[bytes]) -> None:
    frames = EncoderFrames()
    found = [frame for chunk in chunks for frame in frames.feed(chunk)]
    assert all(frame.shape == (16,) and np.isfinite(frame).all() for frame in found)
    assert len(frames._buffer) < FRAME_BYTES


# Bridge

_six = st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6).map(np.array)
_datagrams = st.one_of(
    damaged(st.builds(GloveMessage, st.integers(0, 2**53), _six, st.none()).map(encode_glove)),
    damaged(st.builds(FeedbackMessage, st.integers(0, 2**53), _six, _six).map(encode_feedback)),
    damaged_json({"softgrasp_glove": 1, "seq": 7, "angle": [0.1] * 6, "ack": None}).map(str.encode),
    st.binary(max_size=1100),
)


def _bridge(datagram: bytes) -> None:
    for parse in (parse_glove, parse_feedback):
        try:
            message = parse(datagram)
        except ValueError:
            continue
        assert message.angle.shape == (NUM_JOINTS,)
        assert ((message.angle >= 0.0) & (message.angle <= 1.0)).all()
        assert 0 <= message.seq < 2**53


# Files

_pickles = st.tuples(
    st.dictionaries(
        st.sampled_from(["joint", "force", "actions", "other"]),
        st.one_of(
            st.lists(st.floats(), max_size=4).map(np.array),
            st.just(np.zeros((3, 6))),
            st.just(np.array(["a"])),
            st.recursive(st.integers() | st.text(max_size=4), st.lists, max_leaves=4),
        ),
    ),
    st.integers(0, 5),
).map(lambda drawn: pickle.dumps(*drawn))


def _pickle(data: bytes) -> None:
    try:
        loads_plain_pickle(data)
    except RefusedPickleError:
        return


_arrays = st.dictionaries(
    st.sampled_from(["joint", "force", "actions"]),
    st.one_of(
        st.sampled_from(
            [np.zeros((4, 6)), np.full((4, 6), np.nan), np.zeros((4, 18)), np.zeros(6), np.zeros((0, 6))]
        ),
        st.floats().map(lambda value: np.full((4, 6), value)),
        NONSENSE,
    ),
)


def _recording(arrays: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write_recording(Path(folder), "fuzz", make_signals(4), images=4)
        whole = loads_plain_pickle((root / "fuzz.pickle").read_bytes())
        (root / "fuzz.pickle").write_bytes(pickle.dumps({**whole, **arrays}))
        try:
            recording = read_recording(root)
        except (ValueError, FileNotFoundError):
            return
        assert np.isfinite(recording.closure).all()
        assert np.isfinite(recording.torque).all()


_hand_calibration = json.loads(
    HandCalibration(
        FreeAirForce(np.array([np.zeros(6), np.ones(6)]), np.zeros((2, 6))), motor_calibration()
    ).to_json()
)


def _calibration(text: str) -> None:
    try:
        calibration = HandCalibration.from_json(text)
    except ValueError:
        return
    assert np.isfinite(calibration.free_air.at(np.full(NUM_JOINTS, 0.3))).all()


def _mapping_document() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        PAPER_MAPPING.save(Path(folder) / "mapping.json")
        return json.loads((Path(folder) / "mapping.json").read_text())


def _mapping(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mapping.json"
        path.write_text(text)
        try:
            mapping = AngleMapping.load(path)
        except ValueError as error:
            if "mapping.json" not in str(error):
                raise AssertionError("the refusal does not name the file") from error
            return
        closure = mapping(np.linspace(0.0, 1.0, NUM_JOINTS))
        assert ((closure >= 0.0) & (closure <= 1.0)).all()


# UR controller


class _Controller:
    """Both of ur_rtde's interfaces, answering whatever was drawn."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *_: self._answers[name]


_ur_answers = st.fixed_dictionaries(
    {
        "getTimestamp": st.floats(),
        "isConnected": st.booleans(),
        "getSafetyStatusBits": st.integers(0, 2**32 - 1) | st.just(1),
        "getRobotMode": st.integers(-1, 9),
        "getRuntimeState": st.integers(0, 5),
        "getForwardKinematics": st.lists(st.floats(), max_size=8),
        "getInverseKinematics": st.lists(st.floats(), max_size=8),
    }
)


def _ur_state(answers: dict[str, Any]) -> None:
    link = object.__new__(URLink)
    link._config, link.name = URArmConfig(host="10.0.0.1", grasp_joints=(0.0,) * 6), "UR arm"
    link._receive = link._control = _Controller(answers)
    link._stamp, link._stamp_seen = -1.0, 0.0
    calls: tuple[Callable[[], Any], ...] = (
        link.check,
        link.check_program,
        lambda: link.forward(np.zeros(6)),
        lambda: link.inverse(np.zeros(6), np.zeros(6)),
    )
    for call in calls:
        try:
            vector = call()
        except DeviceError:
            continue
        assert vector is None or (vector.shape == (6,) and np.isfinite(vector).all())


TARGETS: dict[str, Target] = {
    "rh56_frames": Target(streams(_frames), _rh56),
    "modbus_rtu": Target(_modbus, _modbus_rtu),
    "modbus_tcp": Target(
        damaged(st.binary(min_size=12, max_size=12).map(lambda data: tcp_frame(7, 1, b"\x03\x0c" + data))),
        _modbus_tcp,
    ),
    "dynamixel_status": Target(st.one_of(damaged(_states), st.binary(max_size=60)), _dynamixel),
    "dynamixel_fast_status": Target(st.one_of(damaged(_states), st.binary(max_size=60)), _fast_dynamixel),
    "encoder_frames": Target(streams(_encoders), _encoder_frames),
    "bridge_messages": Target(_datagrams, _bridge),
    "restricted_pickle": Target(damaged(_pickles), _pickle),
    "recordings": Target(_arrays, _recording),
    "hand_calibration": Target(damaged_json(_hand_calibration), _calibration),
    "angle_mapping": Target(damaged_json(_mapping_document()), _mapping),
    "ur_state": Target(_ur_answers, _ur_state),
}
