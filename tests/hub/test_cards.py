"""Cards of a dataset and of a policy: filled in, valid, and uploaded only when asked."""

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import draccus
import numpy as np
import pytest
from huggingface_hub import DatasetCard, HfApi, ModelCard
from safetensors.numpy import save_file

from softgrasp_plugin.cards.model_card import result_rows
from softgrasp_plugin.datasets.importing import ImportOptions, write_dataset
from softgrasp_plugin.datasets.recordings import read_recording
from softgrasp_plugin.scripts.card import CardConfig, make_card

from ..datasets.synthetic import write_recording
from ..policies.synthetic import REPO_ID, make_dataset
from .server import LocalHub
from .server.account_routes import front_matter_errors

DATASET, POLICY = "maker/grasps", "maker/policy"
EVALUATION = {
    "per_task": [
        {
            "task_group": "softgrasp_sim",
            "task_id": 7,
            "metrics": {"successes": [True, False, False, False], "max_rewards": [1.0, 1.0, 0.0, 0.0]},
        },
        {
            "task_group": "softgrasp_sim",
            "task_id": 1,
            "metrics": {"successes": [True] * 4, "max_rewards": [1.0] * 4},
        },
    ]
}


@pytest.fixture(scope="module")
def dataset_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    recording = read_recording(write_recording(folder, "apple"), free_air_frames=30)
    options = ImportOptions(fps=30, task="Grasp the apple.", video=False, segments=2)
    write_dataset([recording], DATASET, folder / "root", options)
    return folder / "root"


@pytest.fixture
def policy_type() -> str:
    return "softgrasp"


@pytest.fixture
def policy_folder(tmp_path: Path, policy_type: str) -> Path:
    """What a training leaves of a policy, as far as a card reads it."""
    from lerobot.configs import PreTrainedConfig
    from lerobot.configs.default import DatasetConfig
    from lerobot.configs.train import TrainPipelineConfig

    folder = tmp_path / "pretrained_model"
    folder.mkdir()
    policy_class = PreTrainedConfig.get_choice_class(policy_type)
    policy = policy_class(device="cpu", chunk_size=10, n_action_steps=1, image_size=(48, 64), repo_id=POLICY)
    training = TrainPipelineConfig(DatasetConfig(DATASET), policy=policy, batch_size=32, steps=400)
    features = {"observation.images.side": {"type": "VISUAL", "shape": [3, 120, 160]}}
    config = {**draccus.encode(policy), "type": policy_type, "input_features": features}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "train_config.json").write_text(json.dumps(training.to_dict()))
    save_file({"weight": np.zeros((1000, 1500), np.float32)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def figure(tmp_path: Path) -> Path:
    path = tmp_path / "attention_over_time.png"
    path.write_bytes(b"\x89PNG")
    return path


def _dataset_card(dataset_root: Path, tmp_path: Path, **options: Any) -> str:
    make_card(CardConfig(DATASET, root=dataset_root, output_dir=tmp_path / "card", **options))
    return (tmp_path / "card/README.md").read_text(encoding="utf-8")


def _model_card(policy_folder: Path, tmp_path: Path, **options: Any) -> str:
    make_card(CardConfig(POLICY, policy_path=str(policy_folder), output_dir=tmp_path / "card", **options))
    return (tmp_path / "card/README.md").read_text(encoding="utf-8")


def test_a_dataset_card_holds_the_datasets_numbers(dataset_root: Path, tmp_path: Path) -> None:
    text = _dataset_card(dataset_root, tmp_path, objects=["object_03"], description="Worn by a person.")
    assert "2 demonstrations (0.0 min, 60 frames at 30 Hz)" in text
    assert "| `object_03` | 162.5 g | < 10 (deformable) | 100 × 80 × 80 mm | TPE |" in text
    stats = json.loads((dataset_root / "meta/stats.json").read_text())["observation.state"]
    numbers = " | ".join(f"{stats[name][10]:.2f}" for name in ("min", "mean", "max"))
    assert (
        f"| 10 | `thumb_bend_torque.pos` | fingertip force | N, 0 when nothing is touched | {numbers} |"
        in text
    )
    assert "“Grasp the apple.”" in text
    assert "Worn by a person." in text
    assert 'LeRobotDataset("maker/grasps")' in text
    assert "96 × 64 pixels, stored as image" in text
    assert "2 of 2" in text
    assert "100217" in text


def test_a_model_card_holds_the_policys_numbers(policy_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "eval_info.json").write_text(json.dumps(EVALUATION))
    text = _model_card(policy_folder, tmp_path, eval_info=tmp_path / "eval_info.json")
    assert "1.5 million parameters" in text
    assert "| `object_01` | soft-plastic | top-down | 4 of 4 | 4 of 4 |" in text
    assert "| `object_07` (novel) | soft-plastic | top-down | 2 of 4 | 1 of 4 |" in text
    assert "**5 of 8 (62 %)**" in text
    assert "    --policy.chunk_size=10 \\\n" in text
    assert "    --policy.image_size='[48, 64]' \\\n" in text
    assert "--policy.loss_factor" not in text, "the default need not be said"
    assert "--env.observation_height=120 --env.observation_width=160" in text
    assert "λ = 0.1" in text
    assert ModelCard(text).data.eval_results[1].metric_value == 25.0


@pytest.mark.parametrize(
    ("policy_type", "sees", "expected"),
    [
        (
            "softgrasp_act",
            "from what a camera sees and how far the joints are closed it says",
            "- Sees: image, angle\n- Predicts: 10 moments of closures and forces\n",
        ),
        (
            "softgrasp_timesformer",
            "from what a camera sees, how far the joints are closed and the force at each fingertip it says",
            "- Sees: image, angle, torque; 3 frames, 5 apart\n"
            "- Predicts: 10 moments of closures and forces; loss (1 − λ)·L_A + λ·L_T with λ = 0.1 (Eq. 7)\n",
        ),
    ],
)
def test_the_card_of_a_comparison_policy_says_what_it_sees(
    policy_folder: Path, tmp_path: Path, policy_type: str, sees: str, expected: str
) -> None:
    text = _model_card(policy_folder, tmp_path)
    assert sees in text
    assert expected in text
    assert f"    --policy.type={policy_type} \\\n" in text
    assert "\n\n\n" not in text


def test_a_policy_without_evaluation_says_so(policy_folder: Path, tmp_path: Path) -> None:
    text = _model_card(policy_folder, tmp_path)
    assert "This policy has not been evaluated." in text
    assert "model-index" not in text


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_no_table_is_broken_and_nothing_is_left_unfilled(
    kind: str, dataset_root: Path, policy_folder: Path, figure: Path, tmp_path: Path
) -> None:
    if kind == "dataset":
        text = _dataset_card(dataset_root, tmp_path, objects=["object_01", "object_06"], figures=[figure])
    else:
        (tmp_path / "eval_info.json").write_text(json.dumps(EVALUATION))
        text = _model_card(policy_folder, tmp_path, eval_info=tmp_path / "eval_info.json", figures=[figure])
    assert "![Attention over time](assets/attention_over_time.png)" in text
    assert (tmp_path / "card/assets/attention_over_time.png").read_bytes() == figure.read_bytes()
    for leftover in ("{{", "{%", "None", "Undefined", "\n\n\n"):
        assert leftover not in text, leftover
    lines = text.splitlines()
    for above, line in pairwise(lines):
        if line.startswith("|"):
            assert above == "" or above.count("|") == line.count("|"), (above, line)
    assert text.count("```") % 2 == 0
    assert front_matter_errors(text) == []


@pytest.mark.usefixtures("signed_in")
def test_cards_pass_the_hubs_validator_and_replace_the_old_in_one_commit(
    hub: LocalHub, signed_in: HfApi, dataset_root: Path, policy_folder: Path, figure: Path, tmp_path: Path
) -> None:
    for repo_id, repo_type in ((DATASET, "dataset"), (POLICY, "model")):
        signed_in.create_repo(repo_id, repo_type=repo_type)
    hub.requests.clear()
    _dataset_card(dataset_root, tmp_path, figures=[figure], push_to_hub=True)
    _model_card(policy_folder, tmp_path, push_to_hub=True)
    assert [request.path for request in hub.requests].count("/api/validate-yaml") >= 2
    dataset, model = hub.dataset(DATASET), hub.model(POLICY)
    assert len(dataset.commits) == len(model.commits) == 2
    assert "assets/attention_over_time.png" in dataset.head.files
    assert DatasetCard(hub.read(dataset, "README.md").decode()).data.task_categories == ["robotics"]
    assert ModelCard(hub.read(model, "README.md").decode()).data.datasets == [DATASET]


@pytest.mark.usefixtures("signed_in")
def test_making_cards_uploads_nothing_unless_asked(
    hub: LocalHub, dataset_root: Path, policy_folder: Path, tmp_path: Path
) -> None:
    _dataset_card(dataset_root, tmp_path)
    _model_card(policy_folder, tmp_path)
    assert not hub.requests
    assert not hub.refused_hosts


@pytest.mark.usefixtures("signed_in")
def test_pushing_the_card_of_nothing_is_an_error(dataset_root: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Repository Not Found"):
        _dataset_card(dataset_root, tmp_path, push_to_hub=True)


def test_mistakes_are_named(dataset_root: Path, tmp_path: Path, policy_folder: Path) -> None:
    with pytest.raises(ValueError, match=r"Unknown object 'apple'\. Expected any of: object_01"):
        _dataset_card(dataset_root, tmp_path, objects=["apple"])
    with pytest.raises(ValueError, match="--eval_info belongs to a policy"):
        CardConfig(DATASET, eval_info=tmp_path / "eval_info.json")
    with pytest.raises(ValueError, match="--objects belongs to a dataset"):
        CardConfig(POLICY, policy_path=str(policy_folder), objects=["object_01"])
    with pytest.raises(ValueError, match="same name"):
        CardConfig(DATASET, figures=[Path("a/x.png"), Path("b/x.png")])
    with pytest.raises(FileNotFoundError, match=r"--figures: there is no file .*missing\.png"):
        _dataset_card(dataset_root, tmp_path, figures=[tmp_path / "missing.png"])
    (policy_folder / "train_config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"train_config\.json"):
        _model_card(policy_folder, tmp_path)


@pytest.mark.parametrize(("group", "number"), [("pusht", 1), ("softgrasp_sim", 13)])
def test_another_evaluation_is_refused(group: str, number: int) -> None:
    metrics = {"successes": [True], "max_rewards": [1.0]}
    other = {"per_task": [{"task_group": group, "task_id": number, "metrics": metrics}]}
    with pytest.raises(ValueError, match=r"eval_info\.json of lerobot-eval --env\.type=softgrasp_sim"):
        result_rows(other)


@pytest.mark.parametrize("name", ["config.json", "train_config.json", "eval_info.json"])
@pytest.mark.parametrize("content", ["", '{"dataset": ', "[]", "{}", '{"per_task": 3, "dataset": 3}', "null"])
def test_files_cut_off_or_mistyped_are_named(
    policy_folder: Path, tmp_path: Path, name: str, content: str
) -> None:
    folder = tmp_path / "policy"
    shutil.copytree(policy_folder, folder)
    (folder / "eval_info.json").write_text(json.dumps(EVALUATION))
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=rf"{re.escape(name)} .*expected|{re.escape(name)} does not hold"):
        _model_card(folder, tmp_path, eval_info=folder / "eval_info.json")


def test_the_card_of_a_hand_without_torque_sensing_has_no_torques(tmp_path: Path) -> None:
    root = make_dataset(
        tmp_path / "d", episodes=1, frames=4, height=24, width=32, video=False, measures_torque=False
    )
    path = make_card(CardConfig(repo_id=REPO_ID, root=root, output_dir=tmp_path / "card"))
    text = (tmp_path / "card" / "README.md").read_text()
    assert path is not None
    assert "(6,): six closures" in text
    assert """--policy.modalities='["image", "angle"]'""" in text
    assert "Stages of the grasp" not in text
    assert "force" not in text.partition("## Keys, joints and units")[2].partition("## Licence")[0]
