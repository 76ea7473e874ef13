"""The settings of a trial: the same on every side, and nothing in them that cannot be."""

import math
from dataclasses import MISSING, FrozenInstanceError, fields
from typing import Any, get_type_hints

import draccus
import pytest

from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.simulation.config_simulated_camera import SimulatedCameraConfig
from softgrasp_plugin.simulation.settings import WorldOptions, WorldSettings
from softgrasp_plugin.simulation.variation import Variation
from softgrasp_plugin.teleoperators.config_virtual_operator import VirtualOperatorConfig

OPTIONS = (
    "--variation.mass=0.3",
    "--lift.settle_torque_rate=1.2",
    "--surface=TPE",
    "--torque_noise=0.1",
    "--camera_shift_m=0.02",
    "--camera_turn_rad=0.05",
    "--dropped_frame_rate=0.1",
    "--torque.mode=track",
    "--torque.floor_n=2",
    "--torque.maximum_n=12",
    "--torque.tracking.gain=0.01",
)
IMPOSSIBLE = (-1.0, math.inf, -math.inf, math.nan, 1e308, True, "1")


def defaults(cls: Any) -> dict[str, Any]:
    return {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(cls)
    }


def test_options_are_the_settings() -> None:
    hints, settings = get_type_hints(WorldOptions), get_type_hints(WorldSettings)
    assert defaults(WorldOptions) == defaults(WorldSettings)
    assert {name: hints[name] for name in defaults(WorldOptions)} == settings


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        WorldSettings().surface = "TPE"  # type: ignore[misc]


def test_robot_and_environment_read_the_same_options() -> None:
    robot = draccus.parse(UR3DexHandSimConfig, args=list(OPTIONS))
    env = draccus.parse(SoftGraspSimEnvConfig, args=list(OPTIONS))
    assert robot.world == env.world != WorldSettings()
    assert robot.world.surface == "TPE"
    assert robot.torque == env.torque
    assert (env.torque.maximum_n, env.torque.tracking.gain) == (12.0, 0.01)


def test_no_option_of_one_side_is_unknown_to_the_other() -> None:
    """An option that is new on one side goes to the other, or here with what it is called there."""
    robot, env = set(defaults(UR3DexHandSimConfig)), set(defaults(SoftGraspSimEnvConfig))
    assert robot - env == {
        "objects",  # task
        "seed",  # --seed of the evaluation
        *("episode", "attempt"),  # an evaluation numbers its scenes by seed
        "cameras",  # observation_height, observation_width
        "action_noise",  # for demonstrations
        *("rig", "id", "calibration_dir"),  # a device's
    }
    assert env - robot == {
        "task",
        "episode_length",  # --duration, --dataset.episode_time_s
        *("observation_height", "observation_width"),  # cameras
        *("video_height", "video_width"),  # for people; a recording is looked at in its dataset
        *("features", "features_map", "max_parallel_tasks", "disable_env_checker"),  # LeRobot's
    }


def test_the_robot_is_as_its_options_say() -> None:
    """Every setting reaches the world of the robot, as it reaches the environment's."""
    settings = WorldSettings(surface="TPE", torque_noise=0.5, camera_shift_m=0.02, dropped_frame_rate=0.5)
    options: dict[str, Any] = {name: getattr(settings, name) for name in defaults(WorldSettings)}
    robot = UR3DexHandSim(UR3DexHandSimConfig(cameras={}, **options))
    robot.connect()
    assert robot._open_session.world.settings == settings
    robot.disconnect()
    env = SoftGraspSimEnv("object_01", world=settings)
    env.reset(seed=0)
    assert env._require_world().settings == settings


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("name", ["torque_noise", "camera_shift_m", "camera_turn_rad", "dropped_frame_rate"])
def test_a_setting_that_cannot_be_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number in"):
        SoftGraspSimEnvConfig(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{name} must be a number in"):
        UR3DexHandSimConfig(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("field", fields(Variation), ids=lambda field: field.name)
def test_a_variation_that_cannot_be_is_refused_by_name(field: Any, value: object) -> None:
    with pytest.raises(ValueError, match=rf"variation\.{field.name} must be a number in"):
        Variation(**{field.name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize(
    ("config", "name"),
    [
        (UR3DexHandSimConfig, "seed"),
        (UR3DexHandSimConfig, "action_noise"),
        (SoftGraspSimEnvConfig, "episode_length"),
        (SoftGraspSimEnvConfig, "observation_height"),
        (SoftGraspSimEnvConfig, "observation_width"),
        (VirtualOperatorConfig, "pause_s"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(config: Any, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"--(robot|env|teleop)\.{name} must be a number in"):
        config(**{name: value})


@pytest.mark.parametrize("value", IMPOSSIBLE)
@pytest.mark.parametrize("name", ["height", "width", "fps"])
def test_a_picture_that_cannot_be_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number in"):
        SimulatedCameraConfig(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [*IMPOSSIBLE, 0, 31, 240])
@pytest.mark.parametrize("config", [UR3DexHandSimConfig, SoftGraspSimEnvConfig])
def test_a_rate_whose_ticks_are_not_whole_is_refused_by_name(config: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"--(robot|env)\.fps must divide 120"):
        config(fps=value)


@pytest.mark.parametrize("config", [UR3DexHandSimConfig, SoftGraspSimEnvConfig])
def test_an_unknown_renderer_is_refused_before_anything_starts(config: Any) -> None:
    with pytest.raises(ValueError, match="renderer must be one of ray, gl"):
        config(renderer="vulkan")


def test_the_extremes_make_a_world() -> None:
    share = dict.fromkeys(("size", "mass", "stiffness", "friction"), 0.5)
    extreme = WorldSettings(variation=Variation(position_m=0.05, yaw_rad=math.pi, **share), torque_noise=10.0)
    env = SoftGraspSimEnv("object_01", height=48, width=64, world=extreme)
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        assert env.observation_space["agent_pos"].contains(observation["agent_pos"])  # type: ignore[index]
