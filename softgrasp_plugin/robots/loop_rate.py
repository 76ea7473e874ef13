"""The simulated world follows the clock of the loop that drives it."""

from ..running_command import RunningCommand
from ..simulation.clock import check_rate

DEFAULT_RATE = 30


def loop_rate(asked: int | None, command: RunningCommand | None) -> int:
    """Control ticks per second of the world.

    Args:
        asked: `--robot.fps`; None to follow the command.
        command: the LeRobot command that drives the robot, if any.

    Raises:
        ValueError: if the command runs, or records, at another rate than was asked for, or at one that the
            world cannot follow.
    """
    rates = {} if command is None else _rates(command)
    if len(set(rates.values())) > 1 or (asked is not None and set(rates.values()) - {asked}):
        if asked is not None:
            rates["--robot.fps"] = asked
        said = ", ".join(f"{name} is {rate:g} Hz" for name, rate in rates.items())
        raise ValueError(
            f"One action is one tick of the simulated world, so all rates must be the same: {said}. "
            "Without --robot.fps the world follows the command."
        )
    if not rates:
        return DEFAULT_RATE if asked is None else asked
    name, rate = next(iter(rates.items()))
    check_rate(name, rate)
    return int(rate)


def _rates(command: RunningCommand) -> dict[str, float]:
    """Actions per second by the option that sets them."""
    rates = {}
    if command.fps is not None:
        is_datasets = command.dataset is not None
        rates["--dataset.fps" if is_datasets else "--fps"] = command.fps
    recorded = getattr(getattr(command.config, "dataset", None), "fps", None)
    if command.dataset is None and recorded is not None:  # a rollout makes its dataset later
        rates["--dataset.fps"] = float(recorded)
    multiplier = getattr(command.config, "interpolation_multiplier", 1)
    if multiplier > 1:  # a rollout then sends so many actions per step of its policy
        return {f"{name} × --interpolation_multiplier": rate * multiplier for name, rate in rates.items()}
    return rates
