"""What stands between every motion of a hand and its wire."""

from collections.abc import Mapping

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import DeviceError, DeviceFaultError, DeviceSilentError
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hands.calibration import FreeAirForce, HandCalibration
from softgrasp_plugin.devices.hands.limited_link import IMPOSSIBLE_BEFORE_FAULT, LimitedLink
from softgrasp_plugin.devices.hands.link import Ask, Drive
from softgrasp_plugin.devices.hands.plausible import PossibleReadings, closure_margin
from softgrasp_plugin.devices.hands.polled_hand import PolledHand
from softgrasp_plugin.grasping.closure_limiter import LONGEST_STEP_S
from softgrasp_plugin.joints import JOINTS, NUM_JOINTS, FloatArray

SPEED = 0.5
SILENCE_S = 0.15
LIMIT = np.full(NUM_JOINTS, 3.0)


class PaperHand:
    """A link on a clock of its own: it goes where it is told, falls silent, talks nonsense."""

    device = "paper hand"
    kind = "paper"
    max_force_n = 8.0
    is_open = True

    def __init__(self) -> None:
        self.now = 100.0
        self.closure: FloatArray = np.zeros(NUM_JOINTS)
        self.force: FloatArray = np.zeros(NUM_JOINTS)
        self.wire: list[float] = []
        self.limit_n: FloatArray | None = None
        self.is_silent = False
        self.limits_repeated = 0

    def open(self) -> None: ...

    def close(self) -> None: ...

    def start(self, motors: Mapping[str, MotorCalibration], force_limit_n: FloatArray) -> None: ...

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        # As on a real wire, what is sent into a silence may or may not arrive; here it does.
        self.wire.append(float(closure[0]))
        self.limit_n = force_limit_n
        if self.is_silent:
            raise DeviceSilentError(self.device, "no reply.", "Wait.")
        self.closure = closure

    def measure(self) -> tuple[FloatArray, FloatArray]:
        if self.is_silent:
            raise DeviceSilentError(self.device, "no reply.", "Wait.")
        return self.closure, self.force

    def repeat_limits(self) -> None:
        self.limits_repeated += 1

    def possible(self) -> PossibleReadings:
        return PossibleReadings(np.full(NUM_JOINTS, 40.0), closure_margin())

    def mismatch(self, motors: Mapping[str, MotorCalibration]) -> str | None:
        return None

    def calibrate(self, ask: Ask, drive: Drive) -> dict[str, MotorCalibration]:
        return {}


@pytest.fixture
def link() -> PaperHand:
    return PaperHand()


@pytest.fixture
def limited(link: PaperHand) -> LimitedLink:
    limited = LimitedLink(link, SPEED, SILENCE_S, lambda: link.now)
    limited.start()
    limited.measure()
    return limited


def poll(link: PaperHand, limited: LimitedLink, closure: float, seconds: float = 0.01) -> None:
    link.now += seconds
    try:
        limited.command(np.full(NUM_JOINTS, closure), LIMIT)
        limited.measure()
    except DeviceSilentError:
        assert link.is_silent


def test_it_advances_at_the_speed(link: PaperHand, limited: LimitedLink) -> None:
    for _ in range(20):
        poll(link, limited, 1.0)
    assert link.wire == pytest.approx(np.arange(1, 21) * SPEED * 0.01)
    assert link.limit_n is LIMIT
    assert link.limits_repeated == 0, "nobody was silent"


def test_what_was_sent_into_a_silence_is_no_progress(link: PaperHand, limited: LimitedLink) -> None:
    for _ in range(10):
        poll(link, limited, 1.0)
    reached = link.wire[-1]
    link.is_silent = True
    for _ in range(300):
        poll(link, limited, 1.0)
    assert max(link.wire) <= reached + SPEED * LONGEST_STEP_S + 1e-9
    sent = len(link.wire)
    for _ in range(50):
        poll(link, limited, 1.0)
    assert len(link.wire) == sent, "nobody knows where a hand is that has been silent"
    link.is_silent = False
    link.closure = np.full(NUM_JOINTS, 0.01)  # it lost its power meanwhile, and opened
    poll(link, limited, 1.0)
    assert len(link.wire) == sent, "first it says where it is"
    assert link.limits_repeated > 0
    poll(link, limited, 1.0)
    assert link.wire[-1] == pytest.approx(0.01 + SPEED * 0.01)


def test_a_process_that_was_stopped_does_not_make_up_for_it(link: PaperHand, limited: LimitedLink) -> None:
    for _ in range(10):
        poll(link, limited, 1.0)
    reached, sent = link.wire[-1], len(link.wire)
    poll(link, limited, 1.0, seconds=60.0)
    assert len(link.wire) == sent
    poll(link, limited, 1.0)
    assert link.wire[-1] == pytest.approx(reached + SPEED * 0.01)


def test_a_stall_shorter_than_a_silence_allows_no_long_step(link: PaperHand) -> None:
    limited = LimitedLink(link, SPEED, 1.0, lambda: link.now)
    limited.start()
    limited.measure()
    poll(link, limited, 1.0, seconds=0.9)
    assert link.wire == pytest.approx([SPEED * LONGEST_STEP_S])


def test_waiting_saves_up_nothing(link: PaperHand, limited: LimitedLink) -> None:
    for _ in range(100):
        link.now += 0.01
        limited.measure()
    poll(link, limited, 1.0)
    assert link.wire == pytest.approx([SPEED * 0.01])


@pytest.mark.parametrize(
    ("closure", "force", "message"),
    [
        (2.33, 0.0, r"index_bend reads a closure of 2.33"),
        (-1.1, 0.0, r"index_bend reads a closure of -1.1"),
        (1e6, 0.0, r"index_bend reads a closure of 1e\+06"),
        (np.nan, 0.0, r"index_bend reads a closure of nan"),
        (0.5, -166.0, r"index_bend reads a force of -166 N"),
        (0.5, np.inf, r"index_bend reads a force of inf N"),
    ],
)
def test_an_impossible_reading_is_dropped_and_a_lasting_one_is_a_fault(
    link: PaperHand, limited: LimitedLink, closure: float, force: float, message: str
) -> None:
    good = link.closure.copy()
    for _ in range(3):  # glitches with good readings between them
        link.closure, link.force = good.copy(), np.zeros(NUM_JOINTS)
        link.closure[JOINTS.index("index_bend")] = closure
        link.force[JOINTS.index("index_bend")] = force
        with pytest.raises(DeviceError, match=message) as caught:
            limited.measure()
        assert not isinstance(caught.value, DeviceFaultError)
        spoilt, link.closure = link.closure, good
        spoilt_force, link.force = link.force, np.zeros(NUM_JOINTS)
        for _ in range(20):
            limited.measure()
    link.closure, link.force = spoilt, spoilt_force
    for _ in range(IMPOSSIBLE_BEFORE_FAULT - 1):
        with pytest.raises(DeviceError, match=message):
            limited.measure()
    with pytest.raises(DeviceFaultError, match=rf"paper hand: {message}.*Check the encoders"):
        limited.measure()


def test_limits_are_repeated_once_after_a_silence_and_a_start_forgets_it(
    link: PaperHand, limited: LimitedLink
) -> None:
    link.now += 2 * SILENCE_S
    for _ in range(3):
        limited.measure()
    assert link.limits_repeated == 1
    link.now += 2 * SILENCE_S
    limited.start()  # the driver has just told the limits
    limited.measure()
    assert link.limits_repeated == 1


def test_a_start_forgets_doubts(link: PaperHand, limited: LimitedLink) -> None:
    for _ in range(2):
        link.closure = np.full(NUM_JOINTS, 9.0)
        for _ in range(IMPOSSIBLE_BEFORE_FAULT - 1):
            with pytest.raises(DeviceError) as caught:
                limited.measure()
            assert not isinstance(caught.value, DeviceFaultError)
        limited.start()


def test_a_dropped_reading_is_said(
    link: PaperHand, limited: LimitedLink, caplog: pytest.LogCaptureFixture
) -> None:
    link.closure = np.full(NUM_JOINTS, 9.0)
    with pytest.raises(DeviceError):
        limited.measure()
    assert "paper hand: " in caplog.text
    assert "reads a closure of 9" in caplog.text


def test_nonsense_every_other_time_is_a_fault_too(link: PaperHand, limited: LimitedLink) -> None:
    good = link.closure
    with pytest.raises(DeviceFaultError):  # noqa: PT012
        for _ in range(10):
            link.closure = np.full(NUM_JOINTS, 9.0)
            try:
                limited.measure()
            except DeviceFaultError:
                raise
            except DeviceError:
                pass
            link.closure = good
            limited.measure()


def test_a_wrong_turn_is_noticed_wherever_the_joint_stands() -> None:
    for span in (100.0, 2048.0, 0.9 * 4096):
        turn = 4096 / span
        margin = closure_margin(np.full(NUM_JOINTS, turn))
        possible = PossibleReadings(np.full(NUM_JOINTS, 40.0), margin)
        for closure in np.linspace(0.0, 1.0, 21):
            assert possible.objection(np.full(NUM_JOINTS, closure), np.zeros(NUM_JOINTS)) is None
            for wrong in (closure + turn, closure - turn):
                assert possible.objection(np.full(NUM_JOINTS, wrong), np.zeros(NUM_JOINTS)) is not None


def polled(link: PaperHand, channel: FeelChannel) -> PolledHand:
    ends = np.array([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)])
    calibration = HandCalibration(FreeAirForce(ends, np.zeros_like(ends)))
    return PolledHand(
        link, channel, calibration, rate_hz=100.0, max_closure_speed=SPEED, clock=lambda: link.now
    )


def test_a_command_moves_the_hand_no_longer_than_it_lasts(link: PaperHand) -> None:
    hand = polled(link, FeelChannel())
    hand._limited.start()
    hand._poll()
    hand._poller.check = lambda: None  # type: ignore[method-assign]
    hand.write(np.ones(NUM_JOINTS))
    for _ in range(100):
        link.now += 0.01
        hand._poll()
    assert link.wire[-1] == pytest.approx(SPEED * LONGEST_STEP_S, abs=SPEED * 0.011)


def test_a_command_whose_effect_is_unknown_is_said_again(link: PaperHand) -> None:
    hand = polled(link, FeelChannel())
    hand._limited.start()
    hand._poll()
    hand._poller.check = lambda: None  # type: ignore[method-assign]
    hand.write(np.full(NUM_JOINTS, 1e-4))
    link.now += 0.01
    link.is_silent = True
    with pytest.raises(DeviceSilentError):
        hand._poll()
    link.is_silent = False
    for _ in range(2):  # the first finds out where the hand is
        link.now += 0.01
        hand._poll()
    assert link.wire == pytest.approx([1e-4, 1e-4])
    link.now += 0.01
    hand._poll()
    assert len(link.wire) == 2, "once it has arrived it is not repeated"


def test_an_impossible_reading_is_never_felt_nor_read(link: PaperHand) -> None:
    channel = FeelChannel()
    hand = polled(link, channel)
    hand._limited.start()
    hand._poll()
    felt = channel.latest()
    link.force = np.full(NUM_JOINTS, -166.0)
    with pytest.raises(DeviceError, match="-166"):
        hand._poll()
    assert channel.latest() is felt


def test_a_step_whose_reply_was_lost_is_no_step_that_was_not_made(
    link: PaperHand, limited: LimitedLink
) -> None:
    for _ in range(20):
        poll(link, limited, 0.5)
    link.is_silent = True
    poll(link, limited, 0.5, LONGEST_STEP_S)
    arrived = link.wire[-1]
    link.is_silent, link.closure = False, np.full(NUM_JOINTS, arrived)
    link.wire.clear()
    while not link.wire:
        poll(link, limited, 0.0, 0.02)
    assert 0.0 < arrived - link.wire[0] <= SPEED * LONGEST_STEP_S + 1e-9


def test_a_step_after_which_the_reading_was_lost_is_no_step_that_was_not_made(
    link: PaperHand, limited: LimitedLink
) -> None:
    for _ in range(20):
        poll(link, limited, 0.5)
    link.now += LONGEST_STEP_S
    limited.command(np.full(NUM_JOINTS, 0.5), LIMIT)
    arrived = link.wire[-1]
    link.is_silent = True
    with pytest.raises(DeviceSilentError):
        limited.measure()
    link.is_silent = False
    link.wire.clear()
    while not link.wire:
        poll(link, limited, 0.0, 0.02)
    assert 0.0 < arrived - link.wire[0] <= SPEED * LONGEST_STEP_S + 1e-9


def test_a_connect_that_is_interrupted_leaves_nobody_at_the_wire(
    link: PaperHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = polled(link, FeelChannel())
    monkeypatch.setattr(link, "is_open", False)
    start = hand._poller.start

    def start_and_interrupt() -> None:
        start()
        raise KeyboardInterrupt

    monkeypatch.setattr(hand._poller, "start", start_and_interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            hand.connect()
        assert not hand._poller.is_running
    finally:
        hand._poller.stop()
