"""Every file in `hub_configs/train` and `hub_configs/eval` is one that LeRobot's own parser accepts."""

from pathlib import Path

import draccus
import pytest
from lerobot.configs.eval import EvalPipelineConfig
from lerobot.configs.train import TrainPipelineConfig

import softgrasp_plugin  # noqa: F401  registers the policy and the environment
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig

HUB_CONFIGS = Path(__file__).parents[2] / "hub_configs"
TRAIN = HUB_CONFIGS / "train"
EVAL = HUB_CONFIGS / "eval"


def _parse(name: str, *cli_args: str) -> TrainPipelineConfig:
    return TrainPipelineConfig.from_pretrained(TRAIN / name, cli_args=["--policy.device=cpu", *cli_args])


@pytest.mark.parametrize("path", sorted(TRAIN.glob("*.yaml")), ids=lambda path: path.stem)
def test_configuration_parses_and_says_how_to_use_it(path: Path) -> None:
    config = _parse(path.name)
    assert isinstance(config.policy, SoftGraspConfig)
    assert not config.policy.push_to_hub
    assert path.read_text().startswith("# ")
    assert f"--config_path=hub_configs/train/{path.name}" in path.read_text()


def test_paper_is_the_papers_defaults() -> None:
    config = _parse("paper.yaml")
    assert config.policy == SoftGraspConfig(device="cpu", push_to_hub=False)
    assert config.batch_size == 32
    assert config.steps == 200 * 6 * 15 * 300 // 32
    assert config.use_policy_training_preset


@pytest.mark.parametrize("name", ["recommended.yaml", "demo.yaml"])
def test_grasping_configurations_predict_chunks_with_ensembling(name: str) -> None:
    config = _parse(name)
    assert config.policy.chunk_size == 10
    assert config.policy.temporal_ensemble_coeff is not None


def test_options_on_the_command_line_win() -> None:
    assert _parse(
        "paper.yaml", "--policy.fusion=concat", "--policy.loss_factor=0.05"
    ).policy == SoftGraspConfig(device="cpu", push_to_hub=False, fusion="concat", loss_factor=0.05)


@pytest.mark.parametrize("path", sorted(EVAL.glob("*.yaml")), ids=lambda path: path.stem)
def test_evaluation_parses_and_says_how_to_use_it(path: Path) -> None:
    config = draccus.parse(EvalPipelineConfig, config_path=path, args=[])
    assert config.env.type == "softgrasp_sim"
    assert config.eval.n_episodes == 10
    assert f"--config_path=hub_configs/eval/{path.name}" in path.read_text()
