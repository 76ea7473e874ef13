from collections.abc import Iterator

import pytest

from .rigs import TYPES, Rig, calibration_of, rigged


@pytest.fixture(params=TYPES)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with rigged(request.param) as rig:
        rig.hand = rig.new_hand(calibration_of(request.param))
        rig.hand.connect()
        yield rig
        rig.hand.disconnect()
