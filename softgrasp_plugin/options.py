"""Configurations: which there are, and how what they refuse reaches the user in its own words.

Every command here is configured by dataclasses that check their values and raise `ValueError`. draccus,
which makes them from the command line, replaces such an error with "Couldn't instantiate class …", and where
the field may be absent (`policy`, `env`, `teleop`) LeRobot prints no more than that. Only draccus's own
errors pass through it unchanged, and these are no `ValueError`: so a refusal becomes a `DecodingError` where
draccus makes the object, and stays a `ValueError` everywhere else.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import wraps
from types import FrameType
from typing import Any, get_args, get_type_hints

import draccus
from draccus.utils import DecodingError, ParsingError

_PACKAGE = "softgrasp_plugin."
_DRACCUS = "draccus.parsers.decoding"
_CONSTRUCTION = {"__init__", "__post_init__", "checked"}


def registered_configs() -> set[type]:
    """Configurations of this package that LeRobot's commands know by `--….type`, with all they consist of."""
    # Here, because these imports take seconds and most who want `refuses_in_words` need none of them.
    from lerobot.cameras.configs import CameraConfig
    from lerobot.configs import PreTrainedConfig
    from lerobot.envs.configs import EnvConfig
    from lerobot.robots.config import RobotConfig
    from lerobot.teleoperators.config import TeleoperatorConfig

    found: set[type] = set()
    for registry in (CameraConfig, EnvConfig, PreTrainedConfig, RobotConfig, TeleoperatorConfig):
        for choice in registry.get_known_choices().values():
            found |= config_parts(choice)
    return found


def config_parts(config: type) -> set[type]:
    """A configuration of this package, its bases, and the configurations in its fields, theirs too."""
    found: set[type] = set()
    waiting = [config]
    while waiting:
        cls = waiting.pop()
        if cls in found or not (cls.__module__.startswith(_PACKAGE) and is_dataclass(cls)):
            continue
        found.add(cls)
        waiting += cls.__mro__
        if issubclass(cls, draccus.ChoiceRegistry):
            waiting += _choices(cls)
        for hint in get_type_hints(cls).values():
            waiting += _classes(hint)
    return found


def refuses_in_words[ConfigT](cls: type[ConfigT]) -> type[ConfigT]:
    """Let draccus pass on what `__post_init__` of a configuration refuses; a decorator above `@dataclass`.

    A check that is inherited from another configuration of this package is left to that one.
    """
    owner = next((base for base in cls.__mro__ if "__post_init__" in vars(base)), None)
    if owner is None or (owner is not cls and owner.__module__.startswith(_PACKAGE)):
        return cls
    check: Callable[..., None] = vars(owner)["__post_init__"]

    @wraps(check)
    def checked(self: Any, *args: Any) -> None:
        try:
            check(self, *args)
        except (ValueError, TypeError, ArithmeticError) as error:
            if _is_made_by_draccus():
                raise DecodingError((), str(error)) from error
            raise

    cls.__post_init__ = checked  # type: ignore[attr-defined]
    return cls


def parse_options[ConfigT](config: type[ConfigT]) -> ConfigT:
    """The options of a command of ours, from its command line and the file of ``--config_path``.

    For commands that know none of LeRobot's types: without LeRobot's parser, whose import takes seconds. A
    mistake ends the command with one line.
    """
    try:
        parsed: ConfigT = draccus.parse(config)
    except ParsingError as error:
        sys.exit(f"error: {error}")
    return parsed


@contextmanager
def ends_in_a_line(command: str) -> Iterator[None]:
    """A bad input, or a file or a Hub that cannot be used, ends a command with one line and no traceback."""
    try:
        yield
    except (ValueError, OSError) as error:  # the Hub's own errors are of the second kind
        raise SystemExit(f"{command}: {error}") from error


def _choices(registry: type[draccus.ChoiceRegistry]) -> list[type]:
    return list(registry.get_known_choices().values())


def _classes(hint: Any) -> Iterator[type]:
    if isinstance(hint, type):
        yield hint
    for argument in get_args(hint):
        yield from _classes(argument)


def _is_made_by_draccus() -> bool:
    """Whether draccus called the constructor that is running, directly or for an object that holds it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name in _CONSTRUCTION:
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == _DRACCUS
