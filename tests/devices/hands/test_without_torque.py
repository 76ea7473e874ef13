"""A hand without torque sensing: its forces are used for nothing, and its limits hold as ever."""

import time

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import DeviceNotCalibratedError
from softgrasp_plugin.joints import NUM_JOINTS

from .rigs import MAX_FORCE_N, OBJECT_AT, TYPES, eventually, rigged


@pytest.mark.parametrize("hand_type", TYPES)
def test_it_moves_and_holds_within_its_limit_and_says_no_torque(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.config.measures_torque = False
        hand = rig.new_hand()
        hand.connect()
        # The emulated joints go on pressing by what the sensors read in free air, so these stay as they are.
        calibration = hand.calibrate(lambda asked: "n" if "zero its" in asked else rig.user(asked))
        assert not any("open and close now" in question for question in rig.questions), "it need not move"
        assert not calibration.free_air.force_n.any(), "nothing is measured in free air"
        rig.plant.object_closure = OBJECT_AT

        def grips() -> bool:
            hand.write(np.full(NUM_JOINTS, 0.8))
            time.sleep(0.02)
            return bool(rig.plant.measure()[1].min() > 2.0)

        eventually(grips)
        sample = hand.read()
        assert not sample.measures_torque
        assert np.isnan(sample.torque).all()
        published = rig.channel.latest()
        assert published is not None
        assert not published.measures_torque
        assert rig.limits_n().max() <= MAX_FORCE_N + 0.1
        assert rig.plant.measure()[1].max() <= MAX_FORCE_N + 0.3
        hand.disconnect()

        rig.config.measures_torque = True
        with pytest.raises(DeviceNotCalibratedError, match=r"torque not measured.*lerobot-calibrate"):
            rig.new_hand(calibration).connect()


def test_nor_does_one_that_feels_lend_its_calibration() -> None:
    with rigged(TYPES[0]) as rig:
        rig.hand.connect()
        made = rig.hand.calibrate(rig.user)
        rig.hand.disconnect()
        rig.config.measures_torque = False
        with pytest.raises(ValueError, match=r"and this is .*torque not measured"):
            rig.new_hand().adopt(made)
