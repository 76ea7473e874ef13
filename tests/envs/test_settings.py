"""What a benchmark of policies can set: hidden properties, another surface, a disturbed camera."""

import subprocess
import sys
from pathlib import Path

import draccus
import numpy as np
import pytest
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.configs.default import DatasetConfig
from lerobot.configs.eval import EvalPipelineConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.envs.factory import make_env
from lerobot.scripts.lerobot_record import RecordConfig

from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.joints import STATE_KEYS
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.simulation.catalogue import RANDOM_TASKS
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.variation import HIDDEN_VARIATION, Variation

HUB_CONFIGS = Path(__file__).parents[2] / "hub_configs"
EVAL = HUB_CONFIGS / "eval" / "simulation.yaml"


def parse(*options: str) -> SoftGraspSimEnvConfig:
    """The environment that `lerobot-eval` would make of these options."""
    config = draccus.parse(EvalPipelineConfig, config_path=EVAL, args=list(options)).env
    assert isinstance(config, SoftGraspSimEnvConfig)
    return config


def first_picture(**options: object) -> np.ndarray:
    env = SoftGraspSimEnv("object_03", height=48, width=64, world=WorldSettings(**options))  # type: ignore[arg-type]
    observation, _ = env.reset(seed=5)
    image: np.ndarray = observation["pixels"]["side"]
    return image


def force_after_closing(**options: object) -> float:
    """Sum of the torques in newtons that the hand feels after the same 80 commands."""
    env = SoftGraspSimEnv("object_03", height=48, width=64, world=WorldSettings(torque_noise=0.0, **options))  # type: ignore[arg-type]
    observation, _ = env.reset(seed=5)
    action = observation["agent_pos"].copy()
    action[5], action[6:] = 0.93, 0.0
    for _ in range(80):
        action[:5] += 0.003
        observation, *_ = env.step(action)
    return float(observation["agent_pos"][6:].sum())


def test_lerobot_eval_reads_every_setting() -> None:
    config = parse(
        "--env.variation.mass=0.3",
        "--env.variation.stiffness=0.4",
        "--env.variation.friction=0.2",
        "--env.surface=stainless steel",
        "--env.camera_shift_m=0.02",
        "--env.camera_turn_rad=0.05",
        "--env.dropped_frame_rate=0.1",
        "--env.torque_noise=0.2",
    )
    assert config.variation == HIDDEN_VARIATION
    assert config.surface == "stainless steel"
    assert (config.camera_shift_m, config.camera_turn_rad) == (0.02, 0.05)
    assert (config.dropped_frame_rate, config.torque_noise) == (0.1, 0.2)


def test_the_ready_made_files_hide_what_was_measured() -> None:
    evaluation = draccus.parse(EvalPipelineConfig, config_path=HUB_CONFIGS / "eval" / "hidden.yaml", args=[])
    recording = draccus.parse(RecordConfig, config_path=HUB_CONFIGS / "record" / "hidden.yaml", args=[])
    assert evaluation.env.variation == recording.robot.variation == HIDDEN_VARIATION


def test_everything_is_off_by_default() -> None:
    config = parse()
    assert config.variation == Variation()
    assert config.surface is None
    assert config.camera_shift_m == config.camera_turn_rad == config.dropped_frame_rate == 0


def test_settings_survive_the_training_configuration(tmp_path: Path) -> None:
    env = SoftGraspSimEnvConfig(
        task="object_03",
        variation=HIDDEN_VARIATION,
        surface="TPE",
        camera_shift_m=0.01,
        dropped_frame_rate=0.2,
    )
    policy = SoftGraspConfig(device="cpu", push_to_hub=False)
    TrainPipelineConfig(dataset=DatasetConfig("some/data"), policy=policy, env=env).save_pretrained(tmp_path)
    again = TrainPipelineConfig.from_pretrained(tmp_path / "train_config.json").env
    assert again == env


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--env.surface=jelly", "surface must be one of .*TPE"),
        ("--env.camera_shift_m=-1", r"camera_shift_m must be a number in \[0, 0.1\] m, got -1"),
        ("--env.camera_turn_rad=3", r"camera_turn_rad must be a number in \[0, 0.5\] rad, got 3"),
        ("--env.dropped_frame_rate=2", r"dropped_frame_rate must be a number in \[0, 1\], got 2"),
        ("--env.torque_noise=-0.1", r"torque_noise must be a number in \[0, 10\] N, got -0.1"),
        ("--env.variation.mass=3", r"variation.mass must be a number in \[0, 0.9\], got 3"),
        ("--env.variation.friction=-0.1", r"variation.friction must be a number in \[0, 0.9\], got -0.1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(option: str, message: str) -> None:
    with pytest.raises(draccus.utils.ParsingError) as caught:
        parse(option)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match=message):
        raise caught.value.__cause__


@pytest.mark.parametrize("setting", [{"variation": HIDDEN_VARIATION}, {"surface": "stainless steel"}])
def test_hidden_settings_look_the_same_and_feel_different(setting: dict[str, object]) -> None:
    np.testing.assert_array_equal(first_picture(**setting), first_picture())
    plain, other = force_after_closing(), force_after_closing(**setting)
    assert plain > 1
    assert abs(other - plain) > 0.1 * plain


def test_a_moved_camera_and_lost_pictures_reach_the_observation() -> None:
    assert (first_picture(camera_shift_m=0.02) != first_picture()).any()
    env = SoftGraspSimEnv("object_03", height=48, width=64, world=WorldSettings(dropped_frame_rate=1.0))
    observation, _ = env.reset(seed=5)
    start = observation["pixels"]["side"]
    observation, *_ = env.step(observation["agent_pos"] + np.r_[np.full(6, 0.1), np.zeros(6)])
    np.testing.assert_array_equal(observation["pixels"]["side"], start)
    np.testing.assert_array_equal(env.render(), start)


def test_vector_environments_carry_the_settings() -> None:
    config = SoftGraspSimEnvConfig(
        task="object_03",
        observation_height=48,
        observation_width=64,
        variation=HIDDEN_VARIATION,
        surface="TPE",
        camera_shift_m=0.02,
    )
    vector = make_env(config, n_envs=1)["softgrasp_sim"][3]
    observation, _ = vector.reset(seed=[5])
    expected = first_picture(variation=HIDDEN_VARIATION, surface="TPE", camera_shift_m=0.02)
    np.testing.assert_array_equal(observation["pixels"]["side"][0], expected)
    vector.close()


def test_the_random_objects_are_tasks_like_the_others() -> None:
    assert parse("--env.task=random").tasks == RANDOM_TASKS
    assert parse("--env.task=random_01,object_02").tasks == ("random_01", "object_02")
    config = SoftGraspSimEnvConfig(task="random_02", observation_height=48, observation_width=64)
    ((number, vector),) = make_env(config, n_envs=1)["softgrasp_sim"].items()
    assert number == 102
    observation, _ = vector.reset(seed=[5])
    assert (observation["pixels"]["side"][0] != first_picture()).any()
    vector.close()


def test_reading_a_configuration_loads_no_simulator() -> None:
    """Checked in a fresh interpreter: the tests of this one have loaded it long ago."""
    code = (
        "import sys; from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig as C; "
        "C(surface='TPE', camera_shift_m=0.01); assert 'mujoco' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_arms_joints_are_observed_as_the_robot_observes_them() -> None:
    env = SoftGraspSimEnv("object_03", height=48, width=64, arm_joints=True)
    observation, _ = env.reset(seed=5)
    assert env.observation_space.contains(observation)
    np.testing.assert_allclose(observation["agent_pos"][12:], env._require_world().arm_joints, atol=1e-6)
    features = parse("--env.arm_joints=true").features
    assert features["agent_pos"].shape == (18,)
    assert features["action"].shape == (12,)


def try_policy(state: int, *options: str) -> None:
    """Make the environments as `lerobot-eval` does, for a policy that sees `state` values."""
    cfg = draccus.parse(EvalPipelineConfig, config_path=EVAL, args=["--env.task=object_03", *options])
    feature = PolicyFeature(type=FeatureType.STATE, shape=(state,))
    cfg.policy = SoftGraspConfig(device="cpu", input_features={"observation.state": feature})
    for vector in make_env(cfg.env)["softgrasp_sim"].values():
        vector.close()


@pytest.mark.parametrize(("state", "value", "remedy"), [(18, "false", "true"), (12, "true", "false")])
def test_a_policy_of_another_state_is_refused_with_the_option(state: int, value: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=f"trained on {state} state values.* Use --env.arm_joints={remedy}"):
        try_policy(state, f"--env.arm_joints={value}")
    try_policy(state, f"--env.arm_joints={remedy}")


def test_a_policy_is_tried_at_the_rate_it_is_trained_on(tmp_path: Path) -> None:
    """The variables are those of `lerobot-train`."""
    features = {"observation.state": {"dtype": "float32", "shape": (12,), "names": list(STATE_KEYS)}}
    dataset = LeRobotDataset.create("a/b", 15, root=tmp_path / "b", features=features)
    policy = SoftGraspConfig(device="cpu", push_to_hub=False)
    env = SoftGraspSimEnvConfig(task="object_03", fps=30)
    cfg = TrainPipelineConfig(dataset=DatasetConfig(dataset.repo_id), policy=policy, env=env)
    with pytest.raises(ValueError, match=r"--env.fps=30, but the policy is trained on 15 frames per second"):
        make_env(cfg.env)


def test_a_policy_is_not_called_from_several_threads() -> None:
    with pytest.raises(ValueError, match=r"--env.max_parallel_tasks=2: .* --eval.batch_size"):
        SoftGraspSimEnvConfig(max_parallel_tasks=2)
