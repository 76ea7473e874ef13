"""Every option here that decides a force, a speed or a patience ends exactly where it is said to."""

from dataclasses import replace

import numpy as np
import pytest

from softgrasp_plugin.grasping.contact import ContactConfig
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.torque_tracking import TorqueTrackingConfig

BOUNDS = [
    (LiftConfig(height_m=0.5), "speed_m_s", 0.0, 0.25, True),
    (LiftConfig(height_m=0.5), "ramp_s", 0.01, 5.0, True),
    (LiftConfig(), "settle_s", 0.05, 10.0, True),
    (LiftConfig(), "settle_closure_rate", 0.0, 1.0, True),
    (LiftConfig(), "settle_torque_rate", 0.0, 20.0, True),
    (FeedbackConfig(), "max_torque", 1.0, 10.0, True),
    (FeedbackConfig(), "slew_rate", 10.0, 1000.0, False),
    (FeedbackConfig(), "stale_after_s", 0.02, 0.1, False),
    (FeedbackConfig(), "amplification", 0.0, 1.0, False),
    (TorqueTrackingConfig(), "gain", 0.0, 0.1, True),
    (TorqueTrackingConfig(), "max_correction", 0.0, 0.2, False),
    (TorqueTrackingConfig(), "max_rate", 0.0, 1.0, True),
    (TorqueTrackingConfig(), "contact_n", 0.0, 5.0, True),
    (ContactConfig(), "hysteresis", 0.0, 0.9, False),
]


@pytest.mark.parametrize(("config", "name", "low", "high", "above_low"), BOUNDS)
def test_the_ends_are_taken_and_what_lies_beyond_is_not(
    config: object, name: str, low: float, high: float, above_low: bool
) -> None:
    first = np.nextafter(low, high) if above_low else low
    for value in (float(first), high):
        assert getattr(replace(config, **{name: value}), name) == value  # type: ignore[type-var]
    for value in (low if above_low else np.nextafter(low, -np.inf), np.nextafter(high, np.inf)):
        with pytest.raises(ValueError, match=name):
            replace(config, **{name: float(value)})  # type: ignore[type-var]


def test_a_clutch_torque_equal_to_the_contact_torque_is_refused() -> None:
    contact = ContactConfig().contact_torque
    with pytest.raises(ValueError, match="must exceed contact_torque"):
        replace(ContactConfig(), clutch_torque=(contact[0], *ContactConfig().clutch_torque[1:]))
