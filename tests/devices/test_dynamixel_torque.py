"""When Dynamixel motors may pull, whether they do, and what a refused write means."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import dynamixel_sdk as dxl
import pytest

from softgrasp_plugin.devices.dynamixel import ForceMotorsBus
from softgrasp_plugin.devices.dynamixel.state import status_error_text
from softgrasp_plugin.devices.errors import DeviceError, DeviceFaultError, DeviceSilentError
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.plant import Plant

from .dynamixel_rig import MODEL, bus_on, emulated_motors


class GoesOn(EmulatedMotor):
    """A motor whose Shutdown register leaves out the error it reports: it goes on."""

    def drive(self, plant: Plant) -> None:
        error, self.hardware_error = self.hardware_error, 0
        super().drive(plant)
        self.hardware_error = error


def test_whether_torque_is_off_is_read_back_before_it_is_said() -> None:
    motors = [GoesOn(1, MODEL, 0), *emulated_motors()[1:]]
    with DynamixelBusEmulator(motors) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        bus.enable_torque(num_retry=2)
        motors[0].hardware_error = 1
        with pytest.raises(DeviceFaultError, match=r"thumb.*torque is still ON\. It may move: cut its power"):
            bus.read_state()
        motors[0].hardware_error, motors[1].hardware_error = 0, 32
        with pytest.raises(DeviceFaultError, match=r"index .*overload; its torque is off\. Remove") as caught:
            bus.read_state()
        assert "ON" not in str(caught.value)
        read = bus.packet_handler.read1ByteTxRx
        bus.packet_handler.read1ByteTxRx = lambda port, motor, address: (
            (0, dxl.COMM_RX_TIMEOUT, 0) if address == 64 else read(port, motor, address)
        )
        with pytest.raises(DeviceFaultError, match=r"could not be verified\. It may move: cut its power"):
            bus.read_state()
        with pytest.raises(DeviceFaultError, match=r"motor thumb: .*could not be verified.*Do not touch it"):
            bus.require_torque_off()
        bus.packet_handler.read1ByteTxRx = read
        motors[1].hardware_error = 0
        with pytest.raises(DeviceFaultError, match=r"motor thumb: its torque is still ON"):
            bus.require_torque_off()
        bus.disable_torque(num_retry=2)
        bus.require_torque_off()
        bus.disconnect()


@contextmanager
def far_away(first: EmulatedMotor) -> Iterator[tuple[ForceMotorsBus, list[EmulatedMotor]]]:
    """A bus without torque, the first motor of which still has an old goal far away."""
    motors = [first, *emulated_motors()[1:]]
    first.put(116, 4, 3072)
    with DynamixelBusEmulator(motors) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        bus.configure_current_based_position()
        yield bus, motors
        bus.disconnect()


def test_no_torque_before_the_goals_have_arrived() -> None:
    class Forgetful(EmulatedMotor):
        """Takes no new Goal_Position; an old one is far away."""

        def write(self, address: int, data: bytes) -> int:
            return 0 if address == 116 else super().write(address, data)

    with far_away(Forgetful(1, MODEL, 0)) as (bus, motors):
        here = bus.read_state().position
        with pytest.raises(DeviceFaultError, match="motors thumb do not take their goals"):
            bus.hold([100] * 3, here)
        assert not any(motor.table[64] for motor in motors)
        assert bus.read_state().position.tolist() == here.tolist()


def test_goals_that_got_lost_are_written_again() -> None:
    class Deaf(EmulatedMotor):
        """Misses the first Goal_Position."""

        missed = False

        def write(self, address: int, data: bytes) -> int:
            if address == 116 and not self.missed:
                self.missed = True
                return 0
            return super().write(address, data)

    with far_away(Deaf(1, MODEL, 0)) as (bus, motors):
        here = bus.read_state().position
        bus.hold([100] * 3, here)
        time.sleep(0.05)
        assert all(motor.table[64] for motor in motors)
        assert bus.read_state().position == pytest.approx(here, abs=2)


class Answering(EmulatedMotor):
    """Answers the next writes with an error number."""

    code = 0
    left = 0

    def write(self, address: int, data: bytes) -> int:
        if self.left:
            self.left -= 1
            return self.code
        return super().write(address, data)


@pytest.mark.parametrize(
    ("code", "passes"), [(1, True), (3, True), (2, False), (4, False), (5, False), (6, False), (7, False)]
)
def test_status_errors_that_pass_are_told_from_refusals(code: int, passes: bool) -> None:
    motor = Answering(2, MODEL, 1)
    motor.code = code
    with DynamixelBusEmulator([EmulatedMotor(1, MODEL, 0), motor, EmulatedMotor(3, MODEL, 2)]) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        motor.left = 1
        if passes:
            bus.write("Return_Delay_Time", "index", 0, num_retry=2)
            assert motor.left == 0
            motor.left = 100
            with pytest.raises(DeviceError, match=r"motor index \(id 2\) answers .*3 times") as caught:
                bus.write("Return_Delay_Time", "index", 0, num_retry=2)
            assert not isinstance(caught.value, DeviceFaultError)
        else:
            with pytest.raises(DeviceFaultError, match=rf"refused by motor index.*{status_error_text(code)}"):
                bus.write("Return_Delay_Time", "index", 0, num_retry=2)
        motor.left = 0
        bus.disconnect()


def test_a_write_nobody_acknowledges_names_the_motor(
    rig: tuple[ForceMotorsBus, DynamixelBusEmulator],
) -> None:
    bus, emulator = rig
    emulator.faults.silent = True
    with pytest.raises(DeviceSilentError, match=r"motor index \(id 2\) did not acknowledge.*in 2 tries"):
        bus.write("Return_Delay_Time", "index", 0, num_retry=1)
    emulator.faults.silent = False
    emulator.motors[2].hardware_error = 4
    with pytest.raises(DeviceFaultError, match=r"motor index \(id 2\): overheating"):
        bus.write("Return_Delay_Time", "index", 0, num_retry=2)
