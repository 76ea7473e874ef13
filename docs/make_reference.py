"""Write docs/reference.md from the code: keys, options and commands. `--check` says whether it is current."""

import dataclasses
import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import draccus
from lerobot.cameras.configs import CameraConfig
from lerobot.configs import PreTrainedConfig
from lerobot.envs.configs import EnvConfig
from lerobot.robots.config import RobotConfig
from lerobot.teleoperators.config import TeleoperatorConfig

import lerobot_robot_softgrasp  # noqa: F401  # registers
from softgrasp_plugin.joints import CLOSURE_KEYS, TORQUE_KEYS

PAGE = Path(__file__).with_name("reference.md")
FAMILIES = (
    ("Robots", "robot", RobotConfig),
    ("Teleoperators", "teleop", TeleoperatorConfig),
    ("Environment", "env", EnvConfig),
    ("Policies", "policy", PreTrainedConfig),
    ("Camera", "robot.cameras.side", CameraConfig),
)
COMMANDS = {
    "softgrasp-demo": ("demo", "DemoConfig"),
    "softgrasp-benchmark": ("benchmark", "BenchmarkConfig"),
    "softgrasp-import": ("import_recordings", "ImportConfig"),
    "softgrasp-card": ("card", "CardConfig"),
    "softgrasp-doctor": ("doctor_config", "DoctorConfig"),
    "softgrasp-emulate": ("emulate", "EmulateConfig"),
    "softgrasp-fit-mapping": ("fit_mapping", "FitMappingConfig"),
    "softgrasp-plot": ("plot", "PlotConfig"),
    "softgrasp-resize": ("resize", "ResizeConfig"),
    "softgrasp-train": ("train", None),
}


def page() -> str:
    """The whole page."""
    return "\n".join([*_opening(), *_families(), *_commands()]).rstrip() + "\n"


def _opening() -> Iterator[str]:
    yield "# Reference of keys, options and commands"
    yield ""
    yield "<!-- Written by docs/make_reference.py from the code; a test sees that it is current. -->"
    yield ""
    yield "## Recorded keys"
    yield ""
    yield "`observation.state` and `action` have these names in this order."
    yield ""
    yield "| column | key | quantity |"
    yield "|--:|---|---|"
    for column, key in enumerate(CLOSURE_KEYS + TORQUE_KEYS):
        is_force = key in TORQUE_KEYS
        quantity = "fingertip force, N; 0 touches nothing" if is_force else "closure, 0 open … 1 closed"
        yield f"| {column} | `{key}` | {quantity} |"
    yield ""


def _families() -> Iterator[str]:
    for title, option, registry in FAMILIES:
        yield f"## {title}"
        yield ""
        for name, config in sorted(registry.get_known_choices().items()):
            if _is_ours(config):
                yield f"### `--{option}.type={name}`"
                yield ""
                yield _summary(config)
                yield ""
                yield from _table(config, f"--{option}.")


def _commands() -> Iterator[str]:
    yield "## Commands"
    yield ""
    for command, (module, name) in COMMANDS.items():
        script = import_module(f"softgrasp_plugin.scripts.{module}")
        yield f"### `{command}`"
        yield ""
        yield _escaped((script.__doc__ or "").partition("\n\n")[0].partition(": ")[2])
        yield ""
        if name is not None:
            yield from _table(getattr(script, name), "--")
        else:
            yield "Its options are those of `lerobot-train`."
            yield ""


def _table(config: type, prefix: str) -> Iterator[str]:
    rows = list(_rows(config, prefix))
    if rows:
        yield "| option | type | default | |"
        yield "|---|---|---|---|"
        yield from rows
    else:
        yield "No options of its own."
    yield ""


def _rows(config: type, prefix: str) -> Iterator[str]:
    hints, texts = get_type_hints(config), _descriptions(config)
    later: list[str] = []
    for field in dataclasses.fields(config):
        if not field.init or field.name in ("features", "features_map", "calibration_dir"):
            continue
        hint = hints[field.name]
        part = _part(hint)
        text = texts.get(field.name, "of LeRobot" if not _declares(config, field.name) else "")
        if text == "of LeRobot":
            continue
        if part is not None and not issubclass(part, draccus.ChoiceRegistry):
            later += _rows(part, f"{prefix}{field.name}.")
        yield f"| `{prefix}{field.name}` | {_type(hint)} | {_default(field)} | {_escaped(text)} |"
        if part is not None and issubclass(part, draccus.ChoiceRegistry) and _is_ours(part):
            for name, choice in sorted(part.get_known_choices().items()):
                later.append(f"| `{prefix}{field.name}.type={name}` | | | {_summary(choice)} |")
                later += _rows(choice, f"{prefix}{field.name}.")
    yield from later


def _is_ours(config: type) -> bool:
    return config.__module__.startswith("softgrasp_plugin.")


def _declares(config: type, name: str) -> bool:
    return any(_is_ours(base) and name in vars(base).get("__annotations__", {}) for base in config.__mro__)


def _part(hint: Any) -> type | None:
    """The configuration of ours in a field of this type."""
    for candidate in (hint, *get_args(hint)):
        if isinstance(candidate, type) and dataclasses.is_dataclass(candidate) and _is_ours(candidate):
            return candidate
    return None


def _descriptions(config: type) -> dict[str, str]:
    """What docstrings and comments of a configuration and its bases say about its fields."""
    found: dict[str, str] = {}
    for base in reversed(config.__mro__):
        if not _is_ours(base):
            continue
        section = inspect.cleandoc(base.__doc__ or "").partition("Attributes:\n")[2]
        for name, text in re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, re.MULTILINE):
            found[name] = " ".join(text.split())
        source = inspect.getsource(base)
        for comment, name in re.findall(r"((?:^    # .*\n)+)    (\w+):", source, re.MULTILINE):
            found[name] = " ".join(comment.replace("    # ", "").split())
    return found


def _summary(config: type) -> str:
    return _escaped(" ".join(inspect.cleandoc(config.__doc__ or "").partition("\n\n")[0].split()))


def _type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is type(None):
        return "none"
    if origin in (Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "below" if _is_ours(hint) else hint.__name__
    return {"str": "text", "int": "whole number", "float": "number", "bool": "true, false"}.get(
        hint.__name__, hint.__name__.lower()
    )


def _default(field: "dataclasses.Field[Any]") -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is dataclasses.MISSING:
        return "**needed**"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None:
        return ""
    if isinstance(value, enum.Enum):
        return f"`{value.value}`"
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, dict) or dataclasses.is_dataclass(value):
        return ""
    if isinstance(value, list):
        return f"`{value}`".replace("'", '"')
    return f"`{value}`"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page, or compare."""
    current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if "--check" in sys.argv:
        sys.exit(0 if current == page() else f"{PAGE} is out of date: python {__file__}")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
