import importlib.util
from multiprocessing import forkserver

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from lerobot.envs.factory import make_env
from lerobot.envs.utils import env_to_policy_features, preprocess_observation

from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.grasping.objects import TASKS
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.simulation.world import World


def make(task: str = "object_01", **options: object) -> SoftGraspSimEnv:
    return SoftGraspSimEnv(task, **{"height": 48, "width": 64, **options})  # type: ignore[arg-type]


def test_gymnasium_accepts_it() -> None:
    check_env(make(), skip_render_check=True)


def test_features_are_those_of_the_datasets() -> None:
    config = SoftGraspSimEnvConfig(task="object_01", observation_height=48, observation_width=64)
    features = env_to_policy_features(config)
    assert set(features) == {"action", "observation.state", IMAGE_FEATURE}
    assert features["observation.state"].shape == features["action"].shape == (len(STATE_KEYS),)
    assert features[IMAGE_FEATURE].shape == (3, 48, 64)


def test_observations_become_policy_inputs() -> None:
    envs = make_env(
        SoftGraspSimEnvConfig(task="object_02", observation_height=48, observation_width=64), n_envs=2
    )
    vector = envs["softgrasp_sim"][2]
    observation, _ = vector.reset(seed=[0, 1])
    batch = preprocess_observation(observation)
    assert batch["observation.state"].shape == (2, 12)
    assert batch[IMAGE_FEATURE].shape == (2, 3, 48, 64)
    vector.close()


def test_one_entry_per_task() -> None:
    assert SoftGraspSimEnvConfig(task="all").tasks == TASKS
    assert SoftGraspSimEnvConfig(task="object_03, object_12").tasks == ("object_03", "object_12")
    with pytest.raises(ValueError, match="object_01"):
        SoftGraspSimEnvConfig(task="object_99")


def test_same_seed_same_episode() -> None:
    def run(seed: int) -> tuple[np.ndarray, np.ndarray]:
        env = make()
        observation, _ = env.reset(seed=seed)
        start = observation["agent_pos"]
        for _ in range(10):
            observation, *_ = env.step(np.r_[start[:6] + 0.1, np.zeros(6)].astype(np.float32))
        return observation["agent_pos"], observation["pixels"]["side"]

    first, again, other = run(3), run(3), run(4)
    assert (first[0] == again[0]).all()
    assert (first[1] == again[1]).all()
    assert (first[1] != other[1]).any()


def test_an_undecided_episode_is_truncated() -> None:
    env = make(episode_length=3)
    observation, _ = env.reset(seed=0)
    action = observation["agent_pos"] * np.r_[np.ones(6), np.zeros(6)].astype(np.float32)
    ends = [env.step(action)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


def test_an_object_that_was_crushed_may_yet_be_held() -> None:
    """Both verdicts: the reward is the paper's, success is ours."""
    env = make("object_05")
    observation, _ = env.reset(seed=0)
    command = observation["agent_pos"][:6].astype(np.float64)
    for _ in range(200):
        command = np.minimum(command + 0.02, [0.9, 0.9, 0.9, 0.9, 0.9, 0.93])
        _, reward, terminated, truncated, info = env.step(np.r_[command, np.zeros(6)].astype(np.float32))
        if terminated or truncated:
            break
        command = np.where(info["is_crushed"], command - 0.02, command)
    assert terminated
    assert reward == 1.0
    assert info["is_held"]
    assert info["is_crushed"]
    assert not info["is_success"]


@pytest.mark.parametrize("action", [np.zeros(6, np.float32), np.full(12, np.nan, np.float32)])
def test_a_wrong_action_is_refused(action: np.ndarray) -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="12 finite numbers"):
        env.step(action)


def test_use_before_reset_is_refused() -> None:
    with pytest.raises(RuntimeError, match="reset"):
        make().render()


def test_finished_members_do_no_more_work() -> None:
    config = SoftGraspSimEnvConfig(
        task="object_01", observation_height=48, observation_width=64, episode_length=2
    )
    vector = make_env(config, n_envs=2)["softgrasp_sim"][1]
    assert isinstance(vector, gym.vector.SyncVectorEnv)
    vector.reset(seed=[0, 1])
    action = np.zeros((2, 12), np.float32)
    for _ in range(3):
        observation, *_ = vector.step(action)
    frozen = observation["agent_pos"]
    observation, *_ = vector.step(action)
    assert (observation["agent_pos"] == frozen).all()
    vector.close()


def count_pictures(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    drawn: list[tuple[int, int]] = []
    render = World.render
    monkeypatch.setattr(
        World,
        "render",
        lambda world, height, width: drawn.append((height, width)) or render(world, height, width),
    )
    return drawn


def test_a_video_shows_what_the_policy_saw_and_draws_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_pictures(monkeypatch)
    env = make(height=24, width=32)
    observation, _ = env.reset(seed=0)
    np.testing.assert_array_equal(env.render(), observation["pixels"]["side"])
    for _ in range(3):
        observation, *_ = env.step(np.zeros(12, np.float32))
        np.testing.assert_array_equal(env.render(), observation["pixels"]["side"])
    assert drawn == [(24, 32)] * 4


def test_a_video_can_be_larger_than_what_the_policy_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = count_pictures(monkeypatch)
    config = SoftGraspSimEnvConfig(
        task="object_01", observation_height=24, observation_width=32, video_height=48, video_width=64
    )
    env = SoftGraspSimEnv("object_01", **config.gym_kwargs)
    observation, _ = env.reset(seed=0)
    assert observation["pixels"]["side"].shape == (24, 32, 3)
    assert drawn == [(24, 32)], "nobody asked for a video yet"
    assert env.render().shape == (48, 64, 3)
    with pytest.raises(ValueError, match="give both"):
        SoftGraspSimEnvConfig(video_height=48)


def test_processes_of_their_own_are_forked_from_one_that_has_imported_everything() -> None:
    config = SoftGraspSimEnvConfig(task="object_01", observation_height=24, observation_width=32)
    make_env(config, n_envs=2, use_async_envs=True)["softgrasp_sim"][1].close()
    preloaded = forkserver._forkserver._preload_modules  # type: ignore[attr-defined]
    assert "softgrasp_plugin.envs.vector" in preloaded
    assert all(name == "__main__" or importlib.util.find_spec(name) for name in preloaded)


def test_without_torque_sensing_state_and_action_are_closures() -> None:
    env = make(measures_torque=False)
    check_env(env, skip_render_check=True)
    observation, _ = env.reset(seed=0)
    assert observation["agent_pos"].shape == env.action_space.shape == (6,)
    observation, *_ = env.step(observation["agent_pos"].clip(0, 1))
    assert env.observation_space.contains(observation)
    with pytest.raises(ValueError, match="6 finite numbers"):
        env.step(np.zeros(12, np.float32))
    config = SoftGraspSimEnvConfig(task="object_01", measures_torque=False, arm_joints=True)
    assert config.features["action"].shape == (6,)
    assert config.features["agent_pos"].shape == (12,)
    with pytest.raises(ValueError, match=r"set --env\.torque\.mode=ignore"):
        SoftGraspSimEnvConfig(measures_torque=False, torque=TorqueCommandConfig(mode="track"))
