"""Wrong edits that somebody could make, and the tests that have to notice them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One wrong edit.

    Attributes:
        what: what goes wrong by it.
        file: below the package.
        old: text that is there exactly once.
        new: what it becomes.
        tests: test files, of which one has to fail.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "a dropped object counts as a success",
        "simulation/outcome.py",
        "is_held = is_lifted and held_s >= HOLD_S and not is_dropped",
        "is_held = is_lifted and held_s >= HOLD_S",
        ("tests/simulation",),
    ),
    Mutant(
        "a crush is forgotten",
        "simulation/outcome.py",
        "is_crushed = past.is_crushed or (",
        "is_crushed = (",
        ("tests/simulation",),
    ),
    Mutant(
        "a torque from the future counts as fresh",
        "grasping/force_feedback.py",
        "is_fresh = -_SAME_SAMPLE_S <= age_s <=",
        "is_fresh = age_s <=",
        ("tests/grasping/test_force_feedback.py",),
    ),
    Mutant(
        "no resynchronisation on a Dynamixel wire",
        "devices/dynamixel/wire.py",
        "self._resynchronise(port, asked & self._in_doubt)",
        "self._resynchronise(port, set())",
        ("tests/devices/test_dynamixel.py",),
    ),
    Mutant(
        "the glove's current is written before its position",
        "devices/gloves/motor_glove.py",
        """- turn)
        self._sync_write("Goal_Current", units)
""",
        """- turn) if self._sync_write("Goal_Current", units) is None else None
""",
        ("tests/devices/gloves/test_motor_glove.py",),
    ),
    Mutant(
        "a repeated message of the bridge counts as new",
        "devices/gloves/bridge.py",
        "self._message is not None and message.seq > self._message.seq:",
        "self._message is not None and message.seq >= self._message.seq:",
        ("tests/devices/gloves/test_bridge.py",),
    ),
    Mutant(
        "a reading of the glove never grows stale",
        "devices/gloves/thread.py",
        "if sample is None or age > STALE_AFTER_S:",
        "if sample is None:",
        ("tests/devices/gloves/test_thread.py",),
    ),
    Mutant(
        "a long stall allows a long step",
        "grasping/closure_limiter.py",
        "min(max(now - since, 0.0), LONGEST_STEP_S)",
        "max(now - since, 0.0)",
        ("tests/grasping/test_closure_limiter.py",),
    ),
    Mutant(
        "a step whose reply was lost counts as not made",
        "devices/hands/limited_link.py",
        """        self._attempted = None
        self.limiter.forget()
""",
        """        self._attempted = None
""",
        ("tests/devices/hands/test_limited_link.py",),
    ),
    Mutant(
        "the arm's max_height_m is not enforced",
        "devices/arms/ur_process.py",
        "height = min(max(commanded, 0.0), self._config.max_height_m)",
        "height = max(commanded, 0.0)",
        ("tests/devices/arms/test_ur_process.py",),
    ),
    Mutant(
        "the age of DOGlove's encoder is ignored",
        "devices/gloves/doglove.py",
        "min(sample.timestamp, heard_at)",
        "sample.timestamp",
        ("tests/devices/gloves/test_doglove.py",),
    ),
    Mutant(
        "angle and torque columns of the action are swapped in its statistics",
        "policies/processors.py",
        "ACTION: (config.action_angle_columns, config.action_torque_columns),",
        "ACTION: (config.action_torque_columns, config.action_angle_columns),",
        ("tests/policies/test_range_floor.py",),
    ),
    Mutant(
        "an RH56 begins with its own force limit",
        "devices/hands/inspire_hand.py",
        "[min(pair) for pair in zip(ours, theirs, strict=True)]",
        "list(theirs)",
        ("tests/wire_limits/test_hands.py",),
    ),
    Mutant(
        "angle and torque columns of the action are swapped in the loss",
        "policies/stack_policy.py",
        "columns = self.config.action_angle_columns, self.config.action_torque_columns",
        "columns = self.config.action_torque_columns, self.config.action_angle_columns",
        ("tests/policies/test_labels.py",),
    ),
)
