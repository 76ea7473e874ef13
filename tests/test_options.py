"""Every number a user can set is bounded, and every refusal reaches the user in its own words."""

import dataclasses
import math
import types
from importlib import import_module
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import draccus
import pytest
from draccus.utils import DecodingError
from lerobot.configs import PreTrainedConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.scripts.lerobot_record import RecordConfig

import lerobot_robot_softgrasp  # noqa: F401  # registers
from softgrasp_plugin.devices.gloves.config import GloveMotorConfig
from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.options import config_parts, registered_configs

COMMANDS = {
    "benchmark": "BenchmarkConfig",
    "card": "CardConfig",
    "demo": "DemoConfig",
    "doctor_config": "DoctorConfig",
    "emulate": "EmulateConfig",
    "fit_mapping": "FitMappingConfig",
    "import_recordings": "ImportConfig",
    "plot": "PlotConfig",
}
REQUIRED: dict[str, Any] = {
    "port": "/dev/ttyUSB0",
    "host": "192.0.2.1",
    "id": 1,
    "grasp_joints": (0.0,) * 6,
    "motors": {"index_bend": GloveMotorConfig(id=1)},
    "output_dir": Path("out"),
    "recordings": Path("in"),
    "pairs": Path("pairs.csv"),
    "repo_id": "a/b",
}
"""Values of fields without a default, for whichever configuration asks."""
ALONG: dict[tuple[str, str], dict[str, Any]] = {
    ("PlotConfig", "eval_split"): {"policy_path": "p"},
    ("PlotConfig", "held_out_episodes"): {"policy_path": "p"},
}
"""What else has to be set, so that a field is looked at by itself."""
ABSURD = (math.inf, -math.inf, math.nan, 1e308, -1e308, 10**400, -(10**400))
UNBOUNDED = {
    # Not a number in spite of its annotation: LeRobot's flag, which this policy refuses when it is set.
    ("SoftGraspACTConfig", "replace_final_stride_with_dilation"),
}


def _numeric(hint: Any) -> str | None:
    """How numbers lie in a field of this type: `alone`, in a `list` or a `tuple`; None if there are none."""
    if hint in (int, float):
        return "alone"
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return next((found for found in map(_numeric, arguments) if found), None)
    if origin in (list, tuple) and arguments[0] in (int, float):
        return str(origin.__name__)
    return None


def _all_configs() -> list[type]:
    found = registered_configs()
    for module, name in COMMANDS.items():
        found |= config_parts(getattr(import_module(f"softgrasp_plugin.scripts.{module}"), name))
    return sorted(found, key=lambda cls: cls.__name__)


def _is_abstract(cls: type) -> bool:
    """Whether only its subclasses are ever made."""
    if cls.__name__ == "WorldOptions":  # fields that an environment takes over, and checks
        return True
    if not issubclass(cls, draccus.ChoiceRegistry):
        return False
    try:
        return cls.get_choice_name(cls) is None
    except ValueError:
        return True


def _numeric_fields() -> list[tuple[type, str]]:
    return [
        (cls, entry.name)
        for cls in _all_configs()
        if not _is_abstract(cls)
        for entry in dataclasses.fields(cls)
        if entry.init and _numeric(get_type_hints(cls)[entry.name])
    ]


def _make(cls: type, **values: Any) -> Any:
    needed = {
        entry.name: REQUIRED[entry.name]
        for entry in dataclasses.fields(cls)
        if entry.default is dataclasses.MISSING
        and entry.default_factory is dataclasses.MISSING
        and entry.name in REQUIRED
    }
    nested = {
        entry.name: _make(_first_choice(get_type_hints(cls)[entry.name]))
        for entry in dataclasses.fields(cls)
        if entry.default is dataclasses.MISSING
        and entry.default_factory is dataclasses.MISSING
        and entry.name not in REQUIRED
    }
    device = {"device": "cpu"} if issubclass(cls, PreTrainedConfig) else {}
    return cls(**{**device, **needed, **nested, **values})


def _first_choice(cls: type) -> type:
    return next(iter(cls.get_known_choices().values()))


def _with(cls: type, field: str, number: float, place: int) -> Any:
    """The value of a field with `number` in it, in `place` of a list or tuple."""
    form = _numeric(get_type_hints(cls)[field])
    if form == "alone":
        return number
    values = list(getattr(_make(cls), field) or [0] * 6)
    if place >= len(values):
        return None
    values[place] = number
    return values if form == "list" else tuple(values)


@pytest.mark.parametrize(
    ("cls", "field"),
    [
        pytest.param(cls, field, id=f"{cls.__name__}.{field}")
        for cls, field in _numeric_fields()
        if (cls.__name__, field) not in UNBOUNDED
    ],
)
def test_absurd_numbers_are_refused_by_name(cls: type, field: str) -> None:
    extra = ALONG.get((cls.__name__, field), {})
    _make(cls, **extra)
    for number in ABSURD:
        for place in (0, 1, 5):
            value = _with(cls, field, number, place)
            if value is None:
                continue
            with pytest.raises(ValueError, match=field):
                _make(cls, **extra, **{field: value})


def test_the_list_of_exceptions_holds_only_what_exists() -> None:
    existing = {(cls.__name__, field) for cls, field in _numeric_fields()}
    assert existing >= UNBOUNDED
    assert {name for name, _ in existing} > {"SoftGraspConfig", "LiftConfig", "URArmConfig", "PlotConfig"}


def _raw(cls: type) -> dict[str, Any] | None:
    """What a configuration file would hold to make this configuration; None if it needs others within."""
    values: dict[str, Any] = {"device": "cpu"} if issubclass(cls, PreTrainedConfig) else {}
    for entry in dataclasses.fields(cls):
        if entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            if entry.name not in REQUIRED:
                return None
            value = {"index_bend": {"id": 1}} if entry.name == "motors" else REQUIRED[entry.name]
            values[entry.name] = str(value) if isinstance(value, Path) else value
    return values


def _one_bounded_number_each() -> dict[type, str]:
    """A bounded number of every configuration that has one and needs no others within."""
    found: dict[type, str] = {}
    for cls, name in _numeric_fields():
        is_bounded = (cls.__name__, name) not in UNBOUNDED | ALONG.keys()
        if is_bounded and _numeric(get_type_hints(cls)[name]) == "alone" and _raw(cls) is not None:
            found.setdefault(cls, name)
    return found


@pytest.mark.parametrize(
    ("cls", "name"),
    [pytest.param(cls, name, id=cls.__name__) for cls, name in _one_bounded_number_each().items()],
)
def test_draccus_passes_every_refusal_on(cls: type, name: str) -> None:
    raw, hint = _raw(cls), get_type_hints(cls)[name]
    assert raw is not None
    absurd = 10**12 if hint is int or int in get_args(hint) else 1e308
    assert draccus.decode(cls | None, raw) is not None
    with pytest.raises(DecodingError, match=name) as refusal:
        draccus.decode(cls | None, raw | {name: absurd})
    assert "Couldn't instantiate" not in str(refusal.value)


@pytest.mark.parametrize(
    ("config", "arguments", "reason"),
    [
        (
            TrainPipelineConfig,
            ["--policy.type=softgrasp", "--policy.modalities=[image,angel]", "--dataset.repo_id=a/b"],
            "`modalities` must name some of",
        ),
        (
            TrainPipelineConfig,
            ["--env.type=softgrasp_sim", "--env.task=object_99", "--dataset.repo_id=a/b"],
            "Unknown task 'object_99'.*object_01",
        ),
        (
            RecordConfig,
            [
                "--robot.type=ur3_dexhand_sim",
                "--teleop.type=force_glove",
                "--teleop.glove.type=bridge",
                "--teleop.glove.bind=0.0.0.0",
                "--dataset.repo_id=a/b",
                "--dataset.single_task=g",
            ],
            "bind=0.0.0.0 is reachable from the network",
        ),
        (
            RecordConfig,
            [
                "--robot.type=ur3_dexhand_sim",
                "--robot.torque.mode=guess",
                "--dataset.repo_id=a/b",
                "--dataset.single_task=g",
            ],
            "one of ignore, limit, track; got 'guess'",
        ),
    ],
)
def test_lerobots_commands_print_the_reason(config: type, arguments: list[str], reason: str) -> None:
    with pytest.raises(DecodingError, match=f"(?s){reason}"):
        draccus.parse(config, args=arguments)


def test_in_python_a_refusal_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="object_99"):
        SoftGraspSimEnvConfig(task="object_99")
