"""`softgrasp-card`: the front page of a dataset or a policy on the Hugging Face Hub.

```shell
softgrasp-card --repo_id=$HF_USER/grasps --objects='["object_01"]' --figures='["outputs/demonstration.png"]'
softgrasp-card --repo_id=$HF_USER/policy --policy_path=outputs/train/checkpoints/last/pretrained_model \
    --eval_info=outputs/eval/eval_info.json --figures='["outputs/attention.png"]'
```

The card is written to ``--output_dir``: README.md, and the figures in ``assets/``. Look at it there. With
``--push_to_hub=true`` it replaces the card of the repository on the Hub, in one commit, after the Hub has
found its front matter valid. LeRobot writes its own card at every push of a dataset or a policy, so push ours
after that.
"""

# LeRobot, PyTorch and the Hub's client take seconds to import; they are imported where something is done.

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import read_json, reading
from ..hub_configs import config_path
from ..options import ends_in_a_line, parse_options, refuses_in_words

if TYPE_CHECKING:
    from huggingface_hub import DatasetCard, ModelCard, RepoCard

    from ..cards.options import Figure

POLICY_FILES = ("config.json", "train_config.json", "model.safetensors")


@refuses_in_words
@dataclass
class CardConfig:
    """Options of `softgrasp-card`."""

    # Name on the Hub of what the card describes, "user/name".
    repo_id: str
    # Folder of the dataset. By default LeRobot's own place for this repo_id; what is not there is downloaded,
    # without the videos.
    root: Path | None = None
    # Describe a policy, not a dataset: a checkpoint's pretrained_model folder, or a repo_id on the Hub.
    policy_path: str | None = None
    # eval_info.json of lerobot-eval, for the table of results of a policy.
    eval_info: Path | None = None
    # Objects of Table 2 that were grasped, for the table of objects of a dataset.
    objects: list[str] = field(default_factory=list)
    # How the demonstrations were made, or what the policy is, in a sentence or two of Markdown.
    description: str = ""
    # The licence, as the Hub spells it.
    license: str = "apache-2.0"
    # PNG files to show; the name of a file is its caption.
    figures: list[Path] = field(default_factory=list)
    # Folder that the card is written to.
    output_dir: Path = Path("outputs/card")
    # Replace the card on the Hub.
    push_to_hub: bool = False

    def __post_init__(self) -> None:
        if self.policy_path is None and self.eval_info is not None:
            raise ValueError("--eval_info belongs to a policy; say which with --policy_path.")
        if self.policy_path is not None and self.objects:
            raise ValueError("--objects belongs to a dataset; a policy's objects are those of --eval_info.")
        names = [figure.name for figure in self.figures]
        if len(set(names)) < len(names):
            raise ValueError(f"--figures: two files have the same name: {names}.")


def make_card(config: CardConfig) -> "RepoCard":
    """Render the card, write it and its figures to `config.output_dir`, and upload them if asked to.

    Returns:
        The card.

    Raises:
        FileNotFoundError: a figure, or a file of the policy, is missing.
        ValueError: an option does not fit what is described, or the Hub finds the front matter invalid.
        HfHubHTTPError: there is no such repository, or no right to write to it.
    """
    from ..cards.options import Figure

    missing = [str(path) for path in config.figures if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"--figures: there is no file {', '.join(missing)}.")
    figures = [
        Figure(f"assets/{path.name}", path.stem.replace("_", " ").capitalize()) for path in config.figures
    ]
    card = _dataset_card(config, figures) if config.policy_path is None else _model_card(config, figures)
    (config.output_dir / "assets").mkdir(parents=True, exist_ok=True)
    card.save(config.output_dir / "README.md")
    for source, figure in zip(config.figures, figures, strict=True):
        shutil.copyfile(source, config.output_dir / figure.path)
    print(f"Wrote {config.output_dir / 'README.md'}")
    if config.push_to_hub:
        _push(card, config, ["README.md", *(figure.path for figure in figures)])
    return card


def _dataset_card(config: CardConfig, figures: "list[Figure]") -> "DatasetCard":
    from lerobot.datasets import LeRobotDataset

    from ..cards.dataset_card import DatasetCardOptions, render_dataset_card

    dataset = LeRobotDataset(config.repo_id, root=config.root, download_videos=False, video_backend="pyav")
    options = DatasetCardOptions(
        objects=config.objects, description=config.description, license=config.license, figures=figures
    )
    return render_dataset_card(
        dataset, config_path("cards/dataset_card.md").read_text(encoding="utf-8"), options
    )


def _model_card(config: CardConfig, figures: "list[Figure]") -> "ModelCard":
    from huggingface_hub import snapshot_download

    from ..cards.model_card import ModelCardOptions, render_model_card, result_rows

    assert config.policy_path is not None
    folder = Path(config.policy_path)
    if not folder.is_dir():
        folder = Path(snapshot_download(config.policy_path, allow_patterns=list(POLICY_FILES)))
    evaluation = None
    if config.eval_info is not None:
        expected, remedy = "the eval_info.json of lerobot-eval", "Evaluate again."
        with reading(config.eval_info, expected, remedy):
            evaluation = read_json(config.eval_info)
            result_rows(evaluation)
    options = ModelCardOptions(
        repo_id=config.repo_id,
        evaluation=evaluation,
        description=config.description,
        license=config.license,
        figures=figures,
    )
    return render_model_card(folder, config_path("cards/model_card.md").read_text(encoding="utf-8"), options)


def _push(card: "RepoCard", config: CardConfig, paths: list[str]) -> None:
    from huggingface_hub import CommitOperationAdd, HfApi

    card.validate()
    additions = [CommitOperationAdd(path, config.output_dir / path) for path in paths]
    commit = HfApi().create_commit(
        config.repo_id, additions, commit_message="Describe it", repo_type=card.repo_type
    )
    print(f"Pushed to {commit.repo_url}")


def run(config: CardConfig) -> None:
    """Make a card; a bad input ends with one line instead of a traceback."""
    with ends_in_a_line("softgrasp-card"):
        make_card(config)


def main() -> None:
    """Entry point of `softgrasp-card`."""
    config = parse_options(CardConfig)

    from lerobot.utils.import_utils import register_third_party_plugins
    from lerobot.utils.utils import init_logging

    init_logging()
    register_third_party_plugins()
    run(config)


if __name__ == "__main__":
    main()
