"""A Dynamixel bus of three emulated motors."""

from softgrasp_plugin.devices.dynamixel import ForceMotorsBus
from softgrasp_plugin.devices.dynamixel.bus import motor_table
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor

NAMES = ("thumb", "index", "middle")
MODEL = "xc330-m288"


def emulated_motors(model: str = MODEL) -> list[EmulatedMotor]:
    return [EmulatedMotor(identity=i + 1, model=model, joint=i) for i in range(len(NAMES))]


def bus_on(emulator: DynamixelBusEmulator, fast: bool | None = None) -> ForceMotorsBus:
    table = motor_table(NAMES, [1, 2, 3], [MODEL])
    return ForceMotorsBus(emulator.port, table, device="test hand", fast_sync_read=fast)
