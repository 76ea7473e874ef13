"""`lerobot-eval` and `lerobot-rollout` with a trained policy on the simulated rig."""

import json
import re
from pathlib import Path

import pytest
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import STATE_KEYS
from softgrasp_plugin.policies.example import example_features
from softgrasp_plugin.scripts.steps import console_script

from ..policies.small import small_policy
from .front_door import CORRECT_ONCE, SMALL_CAMERA, TASK, environment, run_command, run_in_terminal, start

pytestmark = pytest.mark.slow

ROBOT = ["--robot.type=ur3_dexhand_sim", f"--robot.cameras={SMALL_CAMERA}"]


def dataset_arguments(root: Path, episodes: int, seconds: float) -> list[str]:
    return [
        "--dataset.repo_id=softgrasp/rollout_test",
        f"--dataset.root={root}",
        f"--dataset.single_task={TASK}",
        f"--dataset.num_episodes={episodes}",
        f"--dataset.episode_time_s={seconds}",
        "--dataset.reset_time_s=0.2",
        "--dataset.video=false",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
        "--play_sounds=false",
    ]


@pytest.mark.parametrize("asynchronous", ["true", "false"])
def test_eval_reports_every_task_and_writes_videos(home: Path, policy: Path, asynchronous: str) -> None:
    output_dir = home / f"eval_{asynchronous}"
    run_command(
        "lerobot-eval",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--env.type=softgrasp_sim",
        "--env.task=object_01,object_06",
        "--env.episode_length=12",
        "--env.observation_height=120",
        "--env.observation_width=160",
        "--eval.n_episodes=2",
        "--eval.batch_size=2",
        f"--eval.use_async_envs={asynchronous}",
        f"--output_dir={output_dir}",
        home=home,
    )
    info = json.loads((output_dir / "eval_info.json").read_text())
    assert {entry["task_id"] for entry in info["per_task"]} == {1, 6}
    assert len(list(output_dir.glob("videos/**/*.mp4"))) == 4


def test_training_evaluates_in_the_simulation(home: Path, dataset: Path, policy: Path) -> None:
    output = run_command(
        "lerobot-train",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--dataset.repo_id=softgrasp/test",
        f"--dataset.root={dataset}",
        f"--output_dir={home / 'training_with_evaluation'}",
        "--env.type=softgrasp_sim",
        "--env.task=object_01",
        "--env.episode_length=8",
        "--env.observation_height=120",
        "--env.observation_width=160",
        "--env_eval_freq=2",
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        "--steps=2",
        "--batch_size=4",
        "--num_workers=0",
        "--save_checkpoint=false",
        home=home,
    )
    assert re.search(r"Suite overall aggregated: .*pc_success", output)
    assert list((home / "training_with_evaluation").glob("eval/**/*.mp4"))


OWN_POLICIES = {
    "act": [
        "--policy.dim_model=64",
        "--policy.chunk_size=10",
        "--policy.n_action_steps=5",
    ],
    "diffusion": [
        "--policy.down_dims=[32,64]",
        "--policy.n_groups=4",
        "--policy.spatial_softmax_num_keypoints=8",
        "--policy.noise_scheduler_type=DDIM",
        "--policy.num_inference_steps=4",
    ],
}


@pytest.mark.parametrize("policy_type", OWN_POLICIES)
def test_lerobots_own_policies_train_on_our_dataset_and_are_evaluated(
    policy_type: str, home: Path, dataset: Path
) -> None:
    """Nothing of this package is in the policy: the dataset and the environment are LeRobot's own kind."""
    if policy_type == "diffusion":
        pytest.importorskip("diffusers", reason="not installed (lerobot[diffusion])")
    training, evaluation = home / f"training_{policy_type}", home / f"eval_{policy_type}"
    run_command(
        "lerobot-train",
        f"--policy.type={policy_type}",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.pretrained_backbone_weights=null",
        *OWN_POLICIES[policy_type],
        "--dataset.repo_id=softgrasp/test",
        f"--dataset.root={dataset}",
        f"--output_dir={training}",
        "--steps=2",
        "--batch_size=2",
        "--num_workers=0",
        "--save_freq=2",
        home=home,
    )
    run_command(
        "lerobot-eval",
        f"--policy.path={training}/checkpoints/last/pretrained_model",
        "--policy.device=cpu",
        "--env.type=softgrasp_sim",
        "--env.task=object_06",
        "--env.episode_length=12",
        "--env.observation_height=120",
        "--env.observation_width=160",
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        f"--output_dir={evaluation}",
        home=home,
    )
    info = json.loads((evaluation / "eval_info.json").read_text())
    assert [entry["task_id"] for entry in info["per_task"]] == [6]


@pytest.mark.parametrize("trained", ["policy", "act_policy"])
def test_base_rollout(home: Path, trained: str, request: pytest.FixtureRequest) -> None:
    policy: Path = request.getfixturevalue(trained)
    output = run_command(
        "lerobot-rollout",
        "--strategy.type=base",
        f"--policy.path={policy}",
        *ROBOT,
        "--duration=3",
        "--fps=30",
        f"--task={TASK}",
        "--play_sounds=false",
        home=home,
    )
    assert "Trial 0, object_01: " in output
    assert "Returning robot to initial position" in output


def test_a_rollout_of_exchanged_joints_is_refused_by_name(home: Path) -> None:
    """The checkpoint knows the names of its columns; the thumb's swing would go to the little finger."""
    policy = small_policy("softgrasp", height=120, width=160)
    features = example_features(120, 160)
    for feature in (ACTION, OBS_STATE):
        names = features[feature]["names"]
        features[feature]["names"] = [names[5], *names[1:5], names[0], *names[6:]]
    policy.config.set_dataset_feature_metadata(features)
    checkpoint = home / "exchanged_joints"
    policy.save_pretrained(checkpoint)
    result = start(
        "lerobot-rollout",
        "--strategy.type=base",
        f"--policy.path={checkpoint}",
        *ROBOT,
        "--duration=1",
        "--fps=30",
        f"--task={TASK}",
        "--play_sounds=false",
        home=home,
    )
    assert result.returncode != 0
    reason = "column 0 is thumb_swing.pos in training and little_bend.pos here"
    assert result.stdout.count(reason) >= 2, result.stdout[-3000:]  # of the state, and of the action
    assert "Trial 0" not in result.stdout


def test_episodic_rollout_records_all_twelve_channels(home: Path, policy: Path) -> None:
    root = home / "rollout_episodic"
    run_command(
        "lerobot-rollout",
        "--strategy.type=episodic",
        f"--policy.path={policy}",
        *ROBOT,
        *dataset_arguments(root, episodes=2, seconds=2),
        home=home,
    )
    recorded = LeRobotDataset("softgrasp/rollout_test", root=root)
    assert recorded.num_episodes == 2
    assert recorded.meta.features["observation.state"]["names"] == list(STATE_KEYS)
    assert recorded.meta.features["action"]["names"] == list(STATE_KEYS)


def test_dagger_hands_over_to_the_virtual_operator(home: Path, policy: Path) -> None:
    root = home / "rollout_dagger"
    command = [
        console_script("lerobot-rollout"),
        "--strategy.type=dagger",
        "--strategy.num_episodes=1",
        f"--policy.path={policy}",
        *ROBOT,
        "--teleop.type=virtual_operator",
        *dataset_arguments(root, episodes=1, seconds=5),
        "--fps=30",
    ]
    run_in_terminal(command, variables=environment(home), keys=CORRECT_ONCE, pause_s=3.0)
    recorded = LeRobotDataset("softgrasp/rollout_test", root=root)
    assert recorded.num_episodes == 1
    assert recorded.meta.total_frames > 20
