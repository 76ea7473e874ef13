"""What a motor's current means: the Dynamixel X models this package knows.

Stall torque and stall current are from ROBOTIS' e-manual (emanual.robotis.com/docs/en/dxl/x/<model>,
"Specifications", at the recommended voltage). Their ratio is taken as the torque constant. It is an
upper-bound slope: friction of the gearbox and the no-load current are in it, so a force computed from it is
nominal. Check on your device against a kitchen scale before you rely on newtons.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MotorModel:
    """One model of motor.

    Attributes:
        name: LeRobot's name of the model.
        number: value of the Model_Number register.
        stall_torque_nm: newton metres.
        stall_current_a: amperes.
        current_unit_a: amperes per unit of Goal_Current and Present_Current, or None where the motor measures
            no current.
    """

    name: str
    number: int
    stall_torque_nm: float
    stall_current_a: float
    current_unit_a: float | None

    @property
    def torque_constant(self) -> float:
        """Newton metres per ampere."""
        return self.stall_torque_nm / self.stall_current_a

    def newtons_per_unit(self, lever_arm_m: float) -> float:
        """Fingertip force in newtons per unit of Present_Current, `lever_arm_m` metres from the motor's axis.

        Raises:
            ValueError: if the motor measures no current, or the lever arm is not positive.
        """
        if self.current_unit_a is None:
            raise ValueError(_no_current_sensor(self.name))
        if lever_arm_m <= 0.0:
            raise ValueError(
                f"lever_arm_m is the distance from motor axis to fingertip, above 0 m; got {lever_arm_m}."
            )
        return self.torque_constant * self.current_unit_a / lever_arm_m


_MILLIAMPERE = 1.0e-3
_XM_UNIT = 2.69e-3

MOTOR_MODELS: dict[str, MotorModel] = {
    model.name: model
    for model in (
        # Check on your device: the current units of XL330-M077, XC330-M181, XC330-T181, XC330-T288, XM540
        # and XH540, and the number of XC330-M181.
        MotorModel("xl330-m077", 1190, 0.215, 1.47, _MILLIAMPERE),
        MotorModel("xl330-m288", 1200, 0.52, 1.47, _MILLIAMPERE),
        MotorModel("xc330-t181", 1210, 0.76, 0.80, _MILLIAMPERE),
        MotorModel("xc330-t288", 1220, 0.92, 0.80, _MILLIAMPERE),
        MotorModel("xc330-m181", 1230, 0.60, 1.80, _MILLIAMPERE),
        MotorModel("xc330-m288", 1240, 0.93, 1.80, _MILLIAMPERE),
        MotorModel("xm430-w350", 1020, 4.1, 2.3, _XM_UNIT),
        MotorModel("xm540-w270", 1120, 10.6, 4.4, _XM_UNIT),
        MotorModel("xh540-w150", 1110, 7.1, 4.9, _XM_UNIT),
        MotorModel("xl430-w250", 1060, 1.4, 1.3, None),
        MotorModel("xc430-w150", 1070, 1.6, 1.4, None),
    )
}


def force_model(name: str) -> MotorModel:
    """The model of that name, if it can measure and limit current.

    Raises:
        ValueError: if the model is unknown, or has no current sensor.
    """
    model = MOTOR_MODELS.get(name)
    if model is None:
        raise ValueError(f"Unknown Dynamixel model {name!r}. Known: {', '.join(sorted(MOTOR_MODELS))}.")
    if model.current_unit_a is None:
        raise ValueError(_no_current_sensor(name))
    return model


def _no_current_sensor(name: str) -> str:
    usable = ", ".join(sorted(m.name for m in MOTOR_MODELS.values() if m.current_unit_a is not None))
    return (
        f"Dynamixel {name} has no current sensor: its register 126 holds an estimated load, not a current, "
        "and it has no current-based position mode, so it can neither feel nor limit a force. "
        f"Use one of: {usable}."
    )
