"""Every file in `hub_configs/train` and `hub_configs/eval` is one that LeRobot's own parser accepts."""

import tomllib
from functools import cache
from itertools import combinations
from pathlib import Path

import draccus
import pytest
import yaml
from lerobot.configs.eval import EvalPipelineConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.policies.factory import make_policy_config

from softgrasp_plugin.policies.modalities import MODALITIES
from softgrasp_plugin.policies.observation_config import ObservationConfig
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig

HUB_CONFIGS = Path(__file__).parents[2] / "hub_configs"
TRAIN = HUB_CONFIGS / "train"
EVAL = HUB_CONFIGS / "eval"


@cache  # LeRobot's parser lists every field of every registered policy: seconds each time
def _parse(name: str, *cli_args: str) -> TrainPipelineConfig:
    return TrainPipelineConfig.from_pretrained(TRAIN / name, cli_args=["--policy.device=cpu", *cli_args])


def _training_files() -> list[object]:
    """All of them; only a few are parsed in the quick run, where those of the tables are decoded below."""
    return [
        pytest.param(path, id=path.stem, marks=[] if path.parent == TRAIN else [pytest.mark.slow])
        for path in sorted(TRAIN.rglob("*.yaml"))
    ]


@pytest.mark.parametrize("path", _training_files())
def test_configuration_parses_and_says_how_to_use_it(path: Path) -> None:
    name = path.relative_to(TRAIN).as_posix()
    config = _parse(name)
    assert isinstance(config.policy, ObservationConfig) == (path.parent.name != "lerobot")
    assert not config.policy.push_to_hub
    assert path.read_text().startswith("# ")
    assert f"--config_path=hub_configs/train/{name}" in path.read_text()


DIFFERENCES: dict[str, dict[str, object]] = {
    **{
        f"table4/loss_factor_{factor}.yaml": {"loss_factor": factor}
        for factor in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
    },
    **{
        # Angles cannot be predicted as a change by a policy that does not see them.
        f"table5/{'_'.join(chosen)}.yaml": {
            "modalities": list(chosen),
            "relative_angles": "angle" in chosen,
            "closure_shift": 0.3 if "angle" in chosen else 0.0,
        }
        for size in (1, 2, 3)
        for chosen in combinations(MODALITIES, size)
    },
    "table6/softgrasp.yaml": {"fusion": "attention"},
    "table6/concat.yaml": {"fusion": "concat"},
    "table6/act.yaml": {
        "type": "softgrasp_act",
        "closure_shift": 0.0,
        "closure_deadband": 0.0,
        "chunk_size": 50,
    },
    "table6/timesformer.yaml": {"type": "softgrasp_timesformer"},
    "curriculum.yaml": {"image_blur_sigma": 4.0, "image_blur_steps": 10000},
}

NOT_OF_THE_STRATEGY = {
    "act": ("residual", "huber_delta_angle", "huber_delta_torque"),
    "timesformer": ("residual",),
}
"""Fields of the recommended configuration that these policies do not have."""


def test_every_file_of_a_table_is_held_to_its_difference() -> None:
    files = {path.relative_to(TRAIN).as_posix() for path in TRAIN.glob("table*/*.yaml")}
    assert files == {name for name in DIFFERENCES if name.startswith("table")}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_an_ablation_differs_from_the_recommended_in_what_it_is_called(name: str) -> None:
    expected, found = (yaml.safe_load((TRAIN / file).read_text()) for file in ("recommended.yaml", name))
    for strategy, fields in NOT_OF_THE_STRATEGY.items():
        if name == f"table6/{strategy}.yaml":
            for field in fields:
                del expected["policy"][field]
    expected["policy"] |= DIFFERENCES[name]
    assert found == expected
    policy = draccus.decode(TrainPipelineConfig, found).policy
    assert {key: getattr(policy, key) for key in DIFFERENCES[name]} == DIFFERENCES[name]


@pytest.mark.parametrize("name", ["act", "diffusion"])
def test_lerobots_own_policies_are_as_lerobot_makes_them(name: str) -> None:
    policy = draccus.decode(
        TrainPipelineConfig, yaml.safe_load((TRAIN / f"lerobot/{name}.yaml").read_text())
    ).policy
    unmodified = make_policy_config(name, push_to_hub=False, pretrained_backbone_weights=None)
    assert policy == unmodified


def test_every_file_is_shipped_to_where_it_is_looked_for() -> None:
    project = tomllib.loads((HUB_CONFIGS.parent / "pyproject.toml").read_text())
    shipped = {
        path.relative_to(HUB_CONFIGS.parent).as_posix(): f"{place}/{path.name}"
        for place, patterns in project["tool"]["setuptools"]["data-files"].items()
        for pattern in patterns
        for path in HUB_CONFIGS.parent.glob(pattern)
    }
    files = [path.relative_to(HUB_CONFIGS.parent).as_posix() for path in HUB_CONFIGS.rglob("*.yaml")]
    assert {file: shipped.get(file) for file in files} == {file: f"share/softgrasp/{file}" for file in files}


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
