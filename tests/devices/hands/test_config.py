import dataclasses
import subprocess
import sys
from pathlib import Path

import draccus
import pytest

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hands.config import (
    DynamixelHandConfig,
    HandConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from softgrasp_plugin.devices.hands.factory import make_hand

EXAMPLES: dict[str, HandConfig] = {
    "inspire_serial": InspireSerialHandConfig(port="/dev/ttyUSB0"),
    "inspire_modbus_rtu": InspireModbusRtuHandConfig(port="/dev/ttyUSB0"),
    "inspire_modbus_tcp": InspireModbusTcpHandConfig(host="192.168.11.210"),
    "dynamixel": DynamixelHandConfig(port="/dev/ttyUSB0"),
}


ROOT = Path(__file__).parents[3]


@dataclasses.dataclass
class Rig:
    hand: HandConfig


def test_every_type_is_known() -> None:
    assert set(HandConfig.get_known_choices()) == set(EXAMPLES)
    assert {name: config.type for name, config in EXAMPLES.items()} == {name: name for name in EXAMPLES}


def test_parsed_from_the_command_line() -> None:
    arguments = [
        "--hand.type=dynamixel",
        "--hand.port=/dev/ttyUSB1",
        "--hand.ids=[6,5,4,3,2,1]",
        "--hand.max_force_n=5",
    ]
    hand = draccus.parse(Rig, args=arguments).hand
    assert hand == DynamixelHandConfig(port="/dev/ttyUSB1", ids=[6, 5, 4, 3, 2, 1], max_force_n=5.0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_survives_a_round_trip(name: str) -> None:
    rig = Rig(EXAMPLES[name])
    assert draccus.decode(Rig, draccus.encode(rig)) == rig


@pytest.mark.parametrize("name", EXAMPLES)
def test_has_a_driver_that_names_its_port(name: str) -> None:
    hand = make_hand(EXAMPLES[name], FeelChannel())
    assert not hand.is_connected
    assert not hand.is_calibrated
    assert "/dev/ttyUSB0" in str(hand) or "192.168.11.210" in str(hand)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate_hz": 1.0}, "rate_hz"),
        ({"max_force_n": 0.0}, "max_force_n"),
        ({"stale_after_s": 0.0}, "stale_after_s"),
        ({"ids": [1, 2, 3, 4, 5, 5]}, "6 different numbers"),
        ({"ids": [1, 2, 3, 4, 5, 253]}, r"hand\.ids\[5\] must be a number in \[0, 252\]"),
        ({"models": ["a", "b"]}, "models must have 1 or 6"),
        ({"lever_arm_m": [7.0]}, r"lever_arm_m\[0\] must be a number in"),
    ],
)
def test_bad_dynamixel_values_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(EXAMPLES["dynamixel"], **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hand_id": 0}, "hand_id"),
        ({"speed": 0.0}, "speed"),
        ({"reply_timeout_s": 0.0}, "reply_timeout_s"),
        ({"byte_registers": 4}, "3 or 6"),
        ({"tcp_port": 0}, "tcp_port"),
    ],
)
def test_bad_inspire_values_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(EXAMPLES["inspire_modbus_tcp"], **change)  # type: ignore[arg-type]


def test_motors_that_cannot_feel_are_refused() -> None:
    with pytest.raises(ValueError, match="no current sensor"):
        make_hand(DynamixelHandConfig(port="/dev/null", models=["xl430-w250"]), FeelChannel())


def test_configuration_loads_no_driver() -> None:
    program = (
        "import sys, importlib, types\n"
        "for name in ('softgrasp_plugin', 'softgrasp_plugin.devices', 'softgrasp_plugin.devices.hands'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        "    sys.modules[name].__path__ = [name.replace('.', '/')]\n"
        "importlib.import_module('softgrasp_plugin.devices.hands.config')\n"
        "print([m for m in ('serial', 'dynamixel_sdk', 'lerobot', 'torch', 'mujoco') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


NUMBERS = {
    "inspire_modbus_tcp": (
        "rate_hz",
        "max_force_n",
        "stale_after_s",
        "hand_id",
        "speed",
        "reply_timeout_s",
        "byte_registers",
        "tcp_port",
    ),
    "inspire_serial": ("baudrate",),
    "inspire_modbus_rtu": ("baudrate",),
    "dynamixel": ("baudrate", "ids", "lever_arm_m"),
}


@pytest.mark.parametrize(
    ("hand", "name"), [(hand, name) for hand, names in NUMBERS.items() for name in names]
)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e308, -1.0, True, "7"])
def test_every_number_has_bounds(hand: str, name: str, bad: object) -> None:
    value = {"ids": [1, 2, 3, 4, 5, bad], "lever_arm_m": [bad]}.get(name, bad)
    with pytest.raises(ValueError, match=rf"{name}"):
        dataclasses.replace(EXAMPLES[hand], **{name: value})
    with pytest.raises(ValueError, match="baudrate must be a whole number"):
        dataclasses.replace(EXAMPLES["inspire_serial"], baudrate=9600.5)  # type: ignore[arg-type]
