"""The policies through the front door: stock `lerobot-train` and `lerobot-eval`, as a user starts them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from softgrasp_plugin.joints import STATE_KEYS
from softgrasp_plugin.policies.softgrasp.example import make_example_batch
from softgrasp_plugin.policies.softgrasp.modeling_softgrasp import SoftGraspPolicy

from .synthetic import REPO_ID, make_dataset

pytestmark = pytest.mark.slow

TRAIN_MODULE = "lerobot.scripts.lerobot_train"
EVAL_MODULE = "lerobot.scripts.lerobot_eval"
SMALL = (
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.image_size=[24,32]",
    "--policy.chunk_size=4",
)
SMALL_NETWORK = {
    "softgrasp": (
        "--policy.backbone_stages=1",
        "--policy.feature_dim=16",
        "--policy.head_hidden_dims=[32]",
    ),
    "softgrasp_act": (
        "--policy.backbone_stages=1",
        "--policy.dim_model=16",
        "--policy.dim_feedforward=32",
        "--policy.n_action_steps=1",
    ),
    "softgrasp_timesformer": (
        "--policy.patch_size=8",
        "--policy.dim=16",
        "--policy.depth=2",
        "--policy.head_hidden_dims=[32]",
    ),
}


@pytest.fixture(scope="module")
def dataset_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "synthetic"
    return make_dataset(root, episodes=3, frames=24, height=24, width=32, video=False)


def _run(arguments: list[str], home: Path) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def _train_arguments(
    dataset_root: Path, output_dir: Path, *more: str, policy_type: str = "softgrasp"
) -> list[str]:
    return [
        f"--policy.type={policy_type}",
        *SMALL,
        *SMALL_NETWORK[policy_type],
        f"--dataset.repo_id={REPO_ID}",
        f"--dataset.root={dataset_root}",
        f"--output_dir={output_dir}",
        "--batch_size=8",
        "--num_workers=0",
        "--log_freq=2",
        *more,
    ]


def _checkpoint(output_dir: Path) -> Path:
    return output_dir / "checkpoints" / "last" / "pretrained_model"


def test_train_with_held_out_episodes_then_resume(dataset_root: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "run"
    held_out = ("--dataset.eval_split=0.3", "--eval_steps=4")
    log = _run(
        ["-m", TRAIN_MODULE, *_train_arguments(dataset_root, output_dir, "--steps=4", *held_out)], tmp_path
    )
    assert re.search(r"step 4: eval_loss=\d", log)
    assert re.search(r"attention_image:0\.\d+ attention_angle:0\.\d+ attention_torque:0\.\d+", log)

    first = SoftGraspPolicy.from_pretrained(_checkpoint(output_dir))
    assert first.config.action_feature_names == list(STATE_KEYS)
    assert first.config.state_torque_columns == [6, 7, 8, 9, 10, 11]
    before = load_file(_checkpoint(output_dir) / "model.safetensors")

    config_path = _checkpoint(output_dir) / "train_config.json"
    log = _run(["-m", TRAIN_MODULE, f"--config_path={config_path}", "--resume=true", "--steps=6"], tmp_path)
    assert "step:6" in log
    after = load_file(_checkpoint(output_dir) / "model.safetensors")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)

    resumed = SoftGraspPolicy.from_pretrained(_checkpoint(output_dir))
    action = resumed.select_action(make_example_batch(resumed.config, 1, stacked=False))
    assert action.shape == (1, 12)
    assert torch.isfinite(action).all()


@pytest.mark.parametrize("policy_type", ["softgrasp_act", "softgrasp_timesformer"])
def test_a_comparison_policy_trains_with_the_curriculum_resumes_and_is_evaluated(
    dataset_root: Path, tmp_path: Path, policy_type: str
) -> None:
    output_dir = tmp_path / "run"
    blur = ("--policy.image_blur_sigma=2", "--policy.image_blur_steps=5")
    arguments = _train_arguments(dataset_root, output_dir, "--steps=2", *blur, policy_type=policy_type)
    _run(["-m", TRAIN_MODULE, *arguments], tmp_path)
    config_path = _checkpoint(output_dir) / "train_config.json"
    _run(["-m", TRAIN_MODULE, f"--config_path={config_path}", "--resume=true", "--steps=4"], tmp_path)
    weights = load_file(_checkpoint(output_dir) / "model.safetensors")
    assert [value.item() for name, value in weights.items() if name.endswith("blur.step")] == [4]

    _run(
        [
            "-m",
            EVAL_MODULE,
            f"--policy.path={_checkpoint(output_dir)}",
            "--policy.device=cpu",
            "--env.type=softgrasp_sim",
            "--env.task=object_01",
            "--env.episode_length=12",
            "--env.observation_height=48",
            "--env.observation_width=64",
            "--eval.n_episodes=1",
            "--eval.batch_size=1",
            "--eval.use_async_envs=false",
            f"--output_dir={tmp_path / 'eval'}",
        ],
        tmp_path,
    )
    (entry,) = json.loads((tmp_path / "eval" / "eval_info.json").read_text())["per_task"]
    assert len(entry["metrics"]["successes"]) == 1


def test_train_on_a_streamed_dataset(dataset_root: Path, tmp_path: Path) -> None:
    # LeRobot streams one shard per worker: without a worker there is no data.
    streaming = ("--dataset.streaming=true", "--num_workers=1")
    arguments = _train_arguments(dataset_root, tmp_path / "run", "--steps=3", *streaming)
    _run(["-m", TRAIN_MODULE, *arguments], tmp_path)
    SoftGraspPolicy.from_pretrained(_checkpoint(tmp_path / "run"))


def test_train_in_two_processes(dataset_root: Path, tmp_path: Path) -> None:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", TRAIN_MODULE]
    log = _run([*launcher, *_train_arguments(dataset_root, tmp_path / "run", "--steps=3")], tmp_path)
    assert "8 x 2 = 16" in log
    assert "did not find any unused parameters" in log  # DDP's own words
    SoftGraspPolicy.from_pretrained(_checkpoint(tmp_path / "run"))


def test_a_dataset_without_torques_is_refused_with_the_reason(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", episodes=1, frames=12, height=24, width=32, video=False)
    info = root / "meta" / "info.json"
    info.write_text(info.read_text().replace("_torque.pos", ".effort"))
    with pytest.raises(AssertionError, match=r"policy sees torques .* 'observation.state' has none"):
        _run(["-m", TRAIN_MODULE, *_train_arguments(root, tmp_path / "run", "--steps=1")], tmp_path)
