import pytest

from softgrasp_plugin.devices.gloves.config import BridgeGloveConfig, DynamixelGloveConfig, GloveMotorConfig
from softgrasp_plugin.devices.gloves.factory import make_glove


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"motors": {}}, "at least one motor"),
        ({"motors": {"pinky": GloveMotorConfig(id=1)}}, "Unknown joints"),
        ({"follow": {"ring_bend": "little_bend"}}, "cannot follow"),
        ({"follow": {"index_bend": "index_bend"}}, "cannot follow"),
        ({"hold": "tight"}, "hold is one of"),
        ({"bus_watchdog_ms": 30}, "multiple of 20"),
        ({"rate_hz": 50.0}, "rate_hz"),
        (
            {"motors": {"index_bend": GloveMotorConfig(id=1), "ring_bend": GloveMotorConfig(id=1)}},
            "id of its own",
        ),
    ],
)
def test_a_wrong_value_says_what_is_expected(options, reason) -> None:
    given = {"port": "/dev/ttyUSB0", "motors": {"index_bend": GloveMotorConfig(id=1)}} | options
    with pytest.raises(ValueError, match=reason):
        DynamixelGloveConfig(**given)


@pytest.mark.parametrize(
    "value", [{"id": 253}, {"id": 1, "lever_arm_m": 8.0}, {"id": 1, "max_current_ma": 0.0}]
)
def test_a_wrong_motor_is_refused(value) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        GloveMotorConfig(**value)


def test_types_make_their_gloves() -> None:
    assert BridgeGloveConfig().type == "bridge"
    assert "bridge glove" in str(make_glove(BridgeGloveConfig(), {}))
    config = DynamixelGloveConfig(port="/dev/ttyUSB7", motors={"index_bend": GloveMotorConfig(id=1)})
    assert "dynamixel glove on /dev/ttyUSB7" in str(make_glove(config, {}))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e308, -1.0, True, "fast"])
@pytest.mark.parametrize("name", ["lever_arm_m", "max_current_ma"])
def test_every_option_of_a_motor_has_a_hard_bound(name, value) -> None:
    with pytest.raises(ValueError, match=name):
        GloveMotorConfig(**{"id": 1, name: value})


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e308, -1.0, "fast"])
@pytest.mark.parametrize("name", ["rate_hz", "baudrate", "position_p_gain", "bus_watchdog_ms"])
def test_every_option_of_a_glove_has_a_hard_bound(name, value) -> None:
    with pytest.raises(ValueError, match=name):
        DynamixelGloveConfig(port="-", motors={"index_bend": GloveMotorConfig(id=1)}, **{name: value})
