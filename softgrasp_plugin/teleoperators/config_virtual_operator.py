"""Configuration of the virtual operator."""

from dataclasses import dataclass, field

from lerobot.teleoperators.config import TeleoperatorConfig

from ..bounds import require_within
from ..grasping.force_feedback import FeedbackConfig


@TeleoperatorConfig.register_subclass("virtual_operator")
@dataclass(kw_only=True)
class VirtualOperatorConfig(TeleoperatorConfig):
    """A simulated person wearing a simulated force-feedback glove, beside a simulated robot.

    Attributes:
        feedback: Algorithm 1, between the simulated hand and the simulated glove.
        mapping: JSON file written by `softgrasp-fit-mapping`; None for the paper's Table 1.
        rig: name of the simulated rig, as in `--robot.rig`.
        sight_error_m: standard deviation, metres, with which the person misjudges how far a digit is from the
            object, once per digit and grasp. Who misjudges it more shows more often what to do when one side
            touches first, and fails now and then.
        pause_s: outside a recording session, simulated seconds between a finished grasp and the next one.
    """

    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    mapping: str | None = None
    rig: str = "default"
    sight_error_m: float = 0.001
    pause_s: float = 1.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for a value out of its range.
        """
        require_within("--teleop.sight_error_m", self.sight_error_m, 0.0, 0.02, "m")
        require_within("--teleop.pause_s", self.pause_s, 0.0, 600.0, "s")
