"""Configuration of the real robot."""

from dataclasses import dataclass, field

from lerobot.cameras.configs import CameraConfig
from lerobot.robots.config import RobotConfig

from ..bounds import require_within
from ..devices.arms.config import ArmConfig, NoArmConfig, URArmConfig
from ..devices.hands.config import HandConfig
from ..grasping.closure_limiter import FASTEST_CLOSURE_SPEED, MAX_CLOSURE_SPEED, SLOWEST_CLOSURE_SPEED
from ..grasping.lift import LiftConfig
from ..grasping.torque_command import TorqueCommandConfig, require_ignored


@RobotConfig.register_subclass("ur3_dexhand")
@dataclass(kw_only=True)
class UR3DexHandConfig(RobotConfig):
    """A six-joint hand, on a UR3 or on a bench, watched by cameras.

    Attributes:
        hand: which hand: `--robot.hand.type=inspire_serial | inspire_modbus_rtu | inspire_modbus_tcp |
            dynamixel` and its options.
        arm: what carries it: `--robot.arm.type=none | ur` and its options.
        cameras: cameras by name; the camera that the policy sees is called `side`.
        torque: whether and how predicted torques limit or correct the grip.
        lift: when and how the arm is raised. Its speed and ramps also limit how the arm comes to the grasp
            pose and comes down.
        lower_after_s: a raised arm comes down again once the hand has touched nothing for so long, and the
            next grasp may begin.
        max_closure_speed: the fastest a joint is told to move, closure per second, wherever the command comes
            from: a policy's first action or a glove put on with a bent hand must not be a blow. Calibrating
            and whatever else the hand does by itself obey it too.
        rig: name under which a glove in the same process feels this hand, as in `--teleop.rig`.
    """

    hand: HandConfig
    arm: ArmConfig = field(default_factory=NoArmConfig)
    cameras: dict[str, CameraConfig] = field(default_factory=dict)
    torque: TorqueCommandConfig = field(default_factory=TorqueCommandConfig)
    lift: LiftConfig = field(default_factory=LiftConfig)
    lower_after_s: float = 1.0
    max_closure_speed: float = MAX_CLOSURE_SPEED
    rig: str = "default"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range, the arm may not do what the lift asks for, or either needs
                torques that the hand does not measure.
        """
        super().__post_init__()
        require_within("--robot.lower_after_s", self.lower_after_s, 0.0, 60.0, "s", above_low=True)
        require_within(
            "--robot.max_closure_speed",
            self.max_closure_speed,
            SLOWEST_CLOSURE_SPEED,
            FASTEST_CLOSURE_SPEED,
            "/s",
        )
        if not self.hand.measures_torque:
            require_ignored(self.torque, "--robot.torque.mode", "--robot.hand.measures_torque")
            if not isinstance(self.arm, NoArmConfig):
                raise ValueError(
                    "--robot.hand.measures_torque=false: an arm is raised once the fingers feel the object, "
                    "and this hand feels nothing. Use --robot.arm.type=none, with the hand on a bench or on "
                    "an arm that is moved by hand or by a program of its own."
                )
        if isinstance(self.arm, URArmConfig):
            for asked, allowed in (("height_m", "max_height_m"), ("speed_m_s", "max_speed_m_s")):
                if getattr(self.lift, asked) > getattr(self.arm, allowed):
                    raise ValueError(
                        f"--robot.lift.{asked}={getattr(self.lift, asked)} is more than "
                        f"--robot.arm.{allowed}={getattr(self.arm, allowed)} allows."
                    )
