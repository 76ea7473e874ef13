"""The card of a trained policy: its front page on the Hugging Face Hub, filled in with its own numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import draccus
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from lerobot.configs.policies import PreTrainedConfig
from safetensors import safe_open

from ..files import read_json, reading
from ..grasping.objects import OBJECTS, GraspObject
from ..simulation.catalogue import ALL_SIM_OBJECTS
from .options import CardOptions

_ENVIRONMENT = "softgrasp_sim"
_NOT_A_CHOICE = {
    "type",
    "input_features",
    "output_features",
    "device",
    "repo_id",
    "push_to_hub",
    "private",
    "tags",
    "license",
    "pretrained_path",
    "state_feature_names",
    "action_feature_names",
    "dataset_fps",
    "state_angle_columns",
    "state_torque_columns",
    "action_angle_columns",
    "action_torque_columns",
}
"""Fields of a policy's configuration that say where it runs, or that follow from the dataset."""


@dataclass(frozen=True, kw_only=True)
class ModelCardOptions(CardOptions):
    """What the policy's files do not say.

    Attributes:
        repo_id: name of the policy on the Hub.
        evaluation: content of `eval_info.json`, as `lerobot-eval` wrote it; None if there has been no
            evaluation.
    """

    repo_id: str
    evaluation: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ResultRow:
    """Trials with one object in simulation."""

    object: GraspObject
    successes: int
    held: int
    trials: int

    @property
    def percent(self) -> float:
        return 100 * self.successes / self.trials


def render_model_card(folder: Path, template: str, options: ModelCardOptions) -> ModelCard:
    """Fill in the card of a policy.

    Args:
        folder: the policy's files: `config.json`, `train_config.json` and `model.safetensors`.
        template: Jinja template of the card, front matter included.
        options: what the files do not say.

    Returns:
        The card; its front matter has been parsed by huggingface_hub.

    Raises:
        FileNotFoundError: if one of the files is missing.
        ValueError: if the evaluation is not one of the simulated objects.
    """
    policy = _read_settings(folder / "config.json", "type", "input_features")
    training = _read_settings(folder / "train_config.json", "dataset", "batch_size", "steps", "seed")
    results = result_rows(options.evaluation) if options.evaluation is not None else []
    dataset = training["dataset"]["repo_id"]
    name = options.repo_id.rpartition("/")[2]
    card_data = ModelCardData(
        license=options.license,
        library_name="lerobot",
        pipeline_tag="robotics",
        tags=[
            "robotics",
            "lerobot",
            "softgrasp",
            policy["type"],
            "dexterous-hand",
            "grasping",
            "imitation-learning",
        ],
        datasets=[dataset],
        model_name=name,
        eval_results=_model_index(results) or None,
    )
    card: ModelCard = ModelCard.from_template(
        card_data,
        template_str=template,
        repo_id=options.repo_id,
        name=name.replace("_", " "),
        policy=policy,
        training=training,
        dataset=dataset,
        images={
            key: feature["shape"]
            for key, feature in policy["input_features"].items()
            if feature["type"] == "VISUAL"
        },
        parameters=_count_parameters(folder / "model.safetensors"),
        command=training_command(policy, training),
        results=results,
        successes=sum(row.successes for row in results),
        held=sum(row.held for row in results),
        trials=sum(row.trials for row in results),
        untested=[row for row in OBJECTS.values() if row not in [result.object for result in results]],
        description=options.description,
        figures=options.figures,
    )
    return card


def result_rows(evaluation: Mapping[str, Any]) -> list[ResultRow]:
    """Both verdicts per object, from the content of an `eval_info.json`.

    The environment's reward is 1 for what is held, crushed or not.

    Raises:
        ValueError: if a task is not an object of the simulation.
    """
    rows = []
    for task in evaluation["per_task"]:
        group, number, outcomes = task["task_group"], int(task["task_id"]), task["metrics"]["successes"]
        if group != _ENVIRONMENT or number not in ALL_SIM_OBJECTS or not outcomes:
            raise ValueError(
                f"The evaluation holds {len(outcomes)} trials of task {number} of {group!r}. "
                f"Expected an eval_info.json of lerobot-eval --env.type={_ENVIRONMENT}."
            )
        held = task["metrics"]["max_rewards"]
        sums = (sum(map(bool, outcomes)), sum(map(bool, held)), len(outcomes))
        rows.append(ResultRow(ALL_SIM_OBJECTS[number].table_row, *sums))
    return sorted(rows, key=lambda row: row.object.object_id)


def training_command(policy: Mapping[str, Any], training: Mapping[str, Any]) -> list[str]:
    """Options of `lerobot-train` that train this policy again: those that differ from the defaults."""
    options = [f"--policy.type={policy['type']}", f"--dataset.repo_id={training['dataset']['repo_id']}"]
    defaults = draccus.encode(PreTrainedConfig.get_choice_class(policy["type"])(device="cpu"))
    options += [
        f"--policy.{key}={_spell(value)}"
        for key, value in policy.items()
        if key not in _NOT_A_CHOICE and key in defaults and value != defaults[key]
    ]
    options += [f"--{key}={training[key]}" for key in ("batch_size", "steps", "seed")]
    if not training["use_policy_training_preset"]:
        options.append("--use_policy_training_preset=false")
        for part in ("optimizer", "scheduler"):
            settings = training[part] or {}
            options += [
                f"--{part}.{key}={_spell(value)}" for key, value in settings.items() if value is not None
            ]
    return [*options, "--policy.push_to_hub=false"]


def _spell(value: Any) -> str:
    """A value as the command line takes it."""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{text}'" if any(character in text for character in ' "[{') else text


def _model_index(results: Sequence[ResultRow]) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="robotics",
            task_name="Grasp, lift and hold",
            dataset_type=_ENVIRONMENT,
            dataset_name=f"SoftGrasp simulation, {row.object.task}",
            dataset_config=row.object.task,
            metric_type="success_rate",
            metric_name=f"Success of {row.trials} trials (%)",
            metric_value=round(row.percent, 1),
        )
        for row in results
    ]


def _count_parameters(path: Path) -> int:
    with safe_open(path, framework="np") as tensors:
        return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118


def _read_settings(path: Path, *required: str) -> dict[str, Any]:
    """An object of settings.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged or lacks one of `required`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; give the folder pretrained_model of a checkpoint.")
    with reading(path, "the settings of a trained policy", "Copy the checkpoint again."):
        content = dict(read_json(path))
        for name in required:
            content[name]
        if "dataset" in required:
            content["dataset"]["repo_id"]
    return content
