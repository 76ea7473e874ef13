"""Actions as they should not be, and some as they should."""

import os
import random
from typing import Any

from softgrasp_plugin.joints import CLOSURE_KEYS, STATE_KEYS, TORQUE_KEYS

ACTIONS = int(os.environ.get("SOFTGRASP_LIMIT_ACTIONS", "400"))
"""How many actions all tests of this folder send in sum: 10000 take some minutes."""

SEED = int(os.environ.get("SOFTGRASP_LIMIT_SEED", "0"))


def share(of_all: float) -> int:
    """How many actions are a share of all, at least some."""
    return max(round(ACTIONS * of_all), 12)


NOT_FINITE: tuple[Any, ...] = (float("nan"), float("inf"), float("-inf"), 10**400, -(10**400))
NO_NUMBER: tuple[Any, ...] = ("", "closed", None, [0.5], {}, object(), b"1", 1j)
HUGE: tuple[Any, ...] = (1e308, -1e308, 1e9, -5.0, 2.0, 10**300, -0.0, 5e-324)


class ActionSource:
    """Random actions: mostly a hand that moves as a policy moves it, and every kind of nonsense between.

    Args:
        seed: decides all of them.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._closure = dict.fromkeys(CLOSURE_KEYS, 0.2)

    def next(self) -> tuple[dict[str, Any], bool | None]:
        """An action, and whether a robot has to refuse it; None where it may or may not."""
        kind = self.random.choices(
            ("walk", "jump", "hold", "missing", "huge", "not_finite", "no_number", "torque", "foreign"),
            (40, 8, 8, 8, 8, 6, 6, 8, 4),
        )[0]
        if kind in ("walk", "jump"):
            width = 0.02 if kind == "walk" else 1.0
            for key, value in self._closure.items():
                moved = value + self.random.uniform(-width, width)
                self._closure[key] = min(max(moved, 0.0), 1.0)
        action: dict[str, Any] = {**self._closure, **{key: self.random.uniform(0, 3) for key in TORQUE_KEYS}}
        wrong: bool | None = None if kind in ("huge", "torque", "foreign") else False
        match kind:
            case "missing":
                for key in self.random.sample(STATE_KEYS, self.random.randint(1, len(STATE_KEYS))):
                    action.pop(key)
            case "huge":
                action[self.random.choice(STATE_KEYS)] = self.random.choice(HUGE)
            case "not_finite":
                action[self.random.choice(CLOSURE_KEYS)] = self.random.choice(NOT_FINITE)
                wrong = True
            case "no_number":
                action[self.random.choice(CLOSURE_KEYS)] = self.random.choice(NO_NUMBER)
                wrong = True
            case "torque":
                action[self.random.choice(TORQUE_KEYS)] = self.random.choice(NOT_FINITE + HUGE + NO_NUMBER)
            case "foreign":
                action["elbow.pos"] = self.random.choice(NO_NUMBER)
        return action, wrong
