"""Dynamixel requests and replies on a scripted line: a late reply is never taken for a fresh one."""

import dynamixel_sdk as dxl

from softgrasp_plugin.devices.dynamixel.wire import ResyncPacketHandler
from softgrasp_plugin.emulators.dynamixel import packet


class ScriptedPort:
    """The SDK's port over a line on which what the motors answer, and when, is written down beforehand.

    Args:
        script: for every packet sent, the bytes that arrive after it; those of an earlier packet may be
            among them, as when a reply comes late.
    """

    def __init__(self, script: list[bytes]) -> None:
        self.script = script
        self.sent: list[bytes] = []
        self.is_using = False
        self._arrived = b""

    def clearPort(self) -> None:  # noqa: N802 (the SDK's names)
        self._arrived = b""

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        self.sent.append(bytes(packet))
        self._arrived += self.script.pop(0) if self.script else b""
        return len(packet)

    def readPort(self, length: int) -> bytes:  # noqa: N802
        data, self._arrived = self._arrived[:length], self._arrived[length:]
        return data

    def setPacketTimeout(self, packet_length: int) -> None: ...  # noqa: N802

    def setPacketTimeoutMillis(self, msec: float) -> None: ...  # noqa: N802

    def isPacketTimeout(self) -> bool:  # noqa: N802
        return not self._arrived


def status(parameters: bytes, error: int = 0) -> bytes:
    return packet(1, 0x55, bytes([error]) + parameters)


def position(ticks: int) -> bytes:
    return status(ticks.to_bytes(4, "little", signed=True))


def test_after_a_missing_reply_a_motor_is_resynchronised_before_it_is_asked_again() -> None:
    marker = status(bytes(11))
    late, fresh = position(1000), position(2000)
    # Nothing comes in time for the first request; its reply arrives after the next packet has been sent.
    port = ScriptedPort([b"", late + marker, fresh])
    handler = ResyncPacketHandler()
    _, result, _ = handler.read4ByteTxRx(port, 1, 132)
    assert result == dxl.COMM_RX_TIMEOUT
    value, result, _ = handler.read4ByteTxRx(port, 1, 132)
    assert (value, result) == (2000, dxl.COMM_SUCCESS), "the late reply passed for the fresh one"
    assert len(port.sent) == 3, "request, marker, request"
    value, result, _ = handler.read4ByteTxRx(ScriptedPort([position(3000)]), 1, 132)
    assert (value, result) == (3000, dxl.COMM_SUCCESS), "a motor in step is not asked for a marker"


def test_a_motor_that_answers_no_marker_is_asked_nothing() -> None:
    port = ScriptedPort([b"", b"", b"", position(1000)])
    handler = ResyncPacketHandler()
    handler.read4ByteTxRx(port, 1, 132)
    _, result, _ = handler.read4ByteTxRx(port, 1, 132)
    assert result == dxl.COMM_RX_TIMEOUT
    assert all(len(sent) != len(port.sent[0]) for sent in port.sent[1:]), "markers only"
