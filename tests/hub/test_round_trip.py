"""Record, push, train from the Hub, push the policy, run it by its name: LeRobot's commands, a local Hub.

Every step has a machine of its own, with empty caches. The first upload and the first download are cut.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard
from lerobot.datasets import CODEBASE_VERSION, LeRobotDataset

from softgrasp_plugin.scripts.card import CardConfig, make_card

from .clients import ROBOT, TASK, Machine, record_arguments, train_arguments
from .conftest import OWNER, OWNER_TOKEN
from .server import LocalHub

pytestmark = pytest.mark.slow

DATASET, POLICY = "maker/grasps", "maker/policy"
POLICY_FILES = {"config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json"}


@dataclass(frozen=True)
class Place:
    """The Hub, and a folder for everything that the machines write."""

    hub: LocalHub
    folder: Path

    def machine(self, name: str, token: str | None = None) -> Machine:
        return Machine(self.hub, self.folder / name, token)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("round_trip")
    with LocalHub(folder / "hub", {OWNER_TOKEN: OWNER}) as hub:
        yield Place(hub, folder)


@pytest.fixture(scope="module")
def recorded(place: Place) -> Path:
    """The folder of a dataset whose upload was cut at the first attempt."""
    root, recorder = place.folder / "grasps", place.machine("recorder", OWNER_TOKEN)
    place.hub.faults.cut_uploads(after=5_000)
    broken = recorder.start("lerobot-record", *record_arguments(DATASET, root, episodes=2))
    place.hub.faults.clear()
    assert broken.returncode != 0
    assert "Error while uploading" in broken.stdout
    return root


@pytest.fixture(scope="module")
def published(place: Place, recorded: Path) -> str:
    """The dataset's name, after the same command has uploaded it; it has nothing left to record."""
    again = record_arguments(DATASET, recorded, episodes=0)
    place.machine("recorder", OWNER_TOKEN).run("lerobot-record", *again, "--resume=true")
    return DATASET


@pytest.fixture(scope="module")
def trained(place: Place, published: str) -> str:
    """The name of a policy trained from the Hub, where the download was cut at the first attempt."""
    trainer = place.machine("trainer", OWNER_TOKEN)
    arguments = train_arguments(published, place.folder / "training", POLICY)
    place.hub.faults.cut_downloads(after=2_000)
    broken = trainer.start("lerobot-train", *arguments)
    place.hub.faults.clear()
    assert broken.returncode != 0
    assert "peer closed connection" in broken.stdout
    trainer.run("lerobot-train", *arguments)
    return POLICY


def test_a_cut_upload_loses_nothing(recorded: Path) -> None:
    dataset = LeRobotDataset(DATASET, root=recorded, video_backend="pyav")
    assert dataset.num_episodes == 2
    assert dataset[len(dataset) - 1]["observation.images.side"].shape == (3, 48, 64)


def test_the_dataset_is_whole_and_tagged(place: Place, recorded: Path, published: str) -> None:
    repository = place.hub.dataset(published)
    assert repository.tags == {CODEBASE_VERSION: repository.head.oid}
    local = [path for path in recorded.rglob("*") if path.is_file() and "images" not in path.parts]
    assert local
    for path in local:
        assert place.hub.read(repository, str(path.relative_to(recorded))) == path.read_bytes()


def test_the_policy_is_whole(place: Place, trained: str) -> None:
    repository = place.hub.model(trained)
    assert set(repository.head.files) >= POLICY_FILES
    weights = place.folder / "training/checkpoints/last/pretrained_model/model.safetensors"
    assert place.hub.read(repository, "model.safetensors") == weights.read_bytes()


def test_eval_by_name_and_a_card_of_the_result(place: Place, trained: str) -> None:
    output = place.folder / "evaluation"
    size = ("--env.observation_height=48", "--env.observation_width=64", "--env.episode_length=15")
    trials = ("--eval.n_episodes=1", "--eval.batch_size=1", f"--output_dir={output}")
    environment = ("--env.type=softgrasp_sim", "--env.task=object_01", *size)
    place.machine("evaluator").run("lerobot-eval", f"--policy.path={trained}", *environment, *trials)

    checkpoint = place.folder / "training/checkpoints/last/pretrained_model"
    card = make_card(
        CardConfig(
            trained,
            policy_path=str(checkpoint),
            eval_info=output / "eval_info.json",
            output_dir=place.folder / "card",
        )
    )
    assert [result.metric_value for result in card.data.eval_results] == [0.0]
    assert "| `object_01` | soft-plastic | top-down | 0 of 1 |" in card.text


def test_rollout_by_name(place: Place, trained: str) -> None:
    how = ("--strategy.type=base", "--duration=1", "--return_to_initial_position=false", f"--task={TASK}")
    output = place.machine("robot").run("lerobot-rollout", f"--policy.path={trained}", *ROBOT, *how)
    assert "Rollout finished" in output


def test_training_again_from_the_configuration_on_the_hub(place: Place, trained: str) -> None:
    head, output = place.hub.model(trained).head, place.folder / "again"
    options = ("--policy.push_to_hub=false", "--steps=1", f"--output_dir={output}")
    place.machine("reader").run("lerobot-train", f"--config_path={trained}", *options)
    again, first = (
        json.loads((folder / "checkpoints/last/pretrained_model/config.json").read_text())
        for folder in (output, place.folder / "training")
    )
    assert again["feature_dim"] == first["feature_dim"] == 16
    assert place.hub.model(trained).head == head


def test_a_dataset_card_is_made_from_the_hub(place: Place, published: str) -> None:
    owner = place.machine("describer", OWNER_TOKEN)
    what = (f"--repo_id={published}", "--objects=[object_01]", "--push_to_hub=true")
    owner.run("python", "-m", "softgrasp_plugin.scripts.card", *what)
    text = place.hub.read(place.hub.dataset(published), "README.md").decode()
    assert DatasetCard(text).data.license == "apache-2.0"
    assert text.count("| `object_01` |") == 1
    assert not list(owner.home.rglob("*.mp4")), "videos are not needed for a card"


@pytest.mark.usefixtures("trained")
def test_the_token_is_nowhere_and_nothing_else_was_reached(place: Place) -> None:
    """Not in what the commands printed, nor in datasets, checkpoints, caches, or anything on the Hub."""
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert {"commands.log", "train_config.json", "README.md", "info.json"} <= {path.name for path in files}
    assert not [path for path in files if OWNER_TOKEN.encode() in path.read_bytes()]
    assert not place.hub.refused_hosts
    assert not [request for request in place.hub.requests if request.status >= 500]
