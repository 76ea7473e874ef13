"""Configuration of the force-feedback glove."""

from dataclasses import dataclass, field

from lerobot.teleoperators.config import TeleoperatorConfig

from ..bounds import require_within
from ..devices.gloves.config import GloveConfig
from ..grasping.force_feedback import FeedbackConfig


@TeleoperatorConfig.register_subclass("force_glove")
@dataclass(kw_only=True)
class ForceGloveConfig(TeleoperatorConfig):
    """A force-feedback glove, worn by a person.

    Attributes:
        glove: which glove: `--teleop.glove.type=dynamixel | doglove | bridge` and its options.
        feedback: Algorithm 1, between the hand and the glove.
        mapping: JSON file written by `softgrasp-fit-mapping`; None for the paper's Table 1.
        rig: name under which glove and robot of one process find each other, as in `--robot.rig`.
        guide_force_n: force with which the glove leads the fingers while LeRobot hands over (DAgger),
            newtons.
    """

    glove: GloveConfig
    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    mapping: str | None = None
    rig: str = "default"
    guide_force_n: float = 1.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if the guiding force is not above 0, or above the most the glove may ever give.
        """
        require_within(
            f"guide_force_n, at most feedback.max_torque={self.feedback.max_torque:g} N,",
            self.guide_force_n,
            0.0,
            self.feedback.max_torque,
            "N",
            above_low=True,
        )
