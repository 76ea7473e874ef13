"""The virtual operator as a LeRobot teleoperator."""

from pathlib import Path
from typing import Any

from lerobot.lerobot_types import RobotAction
from lerobot.teleoperators.teleoperator import Teleoperator
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from ..grasping.mapping import PAPER_MAPPING, AngleMapping
from ..joints import CLOSURE_KEYS, STATE_KEYS, from_keys, to_keys
from ..simulation.operator import OperatorConfig
from ..simulation.operator import OperatorModel as Human
from ..simulation.session import Session, TrialSetup, find_session
from .config_virtual_operator import VirtualOperatorConfig
from .feedback import sample_of


class VirtualOperator(Teleoperator):
    """Joins a simulated person to LeRobot's loop.

    The person acts inside the world's tick, at the glove's rate. `get_action` only reads what the glove says
    by now, so nothing here depends on the wall clock. The person works while their glove is being read, and
    rests while something else, a policy for instance, drives the hand.
    """

    config_class = VirtualOperatorConfig
    name = "virtual_operator"

    def __init__(self, config: VirtualOperatorConfig) -> None:
        super().__init__(config)
        self.config = config
        self._mapping = PAPER_MAPPING if config.mapping is None else AngleMapping.load(Path(config.mapping))
        self._connected = False
        self._session: Session | None = None
        self._human: Human | None = None
        self._guided = False
        self._finished_at: float | None = None
        self._unread_ticks = 0

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(STATE_KEYS, float)

    @property
    def feedback_features(self) -> dict[str, Any]:
        return dict.fromkeys(STATE_KEYS, float)

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def is_done(self) -> bool:
        """Whether the person has finished this grasp, with or without success."""
        return self._human is not None and self._human.done

    @property
    def is_calibrated(self) -> bool:
        return True

    def calibrate(self) -> None:
        """Nothing to do: the simulated glove is exact."""

    def configure(self) -> None:
        """Nothing to do: the configuration is part of the model."""

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Put the glove on; the rig is looked for at the first action, since LeRobot connects the robot
        later.
        """
        self._connected = True

    @check_if_not_connected
    def get_action(self) -> RobotAction:
        """The expected closures Âs = f(Am), and the torques that the hand measures at this moment.

        Raises:
            DeviceNotConnectedError: if no simulated robot is connected.
        """
        human = self._take_place()
        human.is_active = not self._guided
        self._unread_ticks = 0
        self._start_over_when_done()
        return to_keys(human.expected_closure, self._session_at_hand.world.hand_sample().torque)

    @check_if_not_connected
    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Move the glove, or let it feel.

        Between `enable_torque` and `disable_torque` the closures are position goals that the glove is driven
        to (the hand-over of LeRobot's DAgger strategy). Otherwise the torques, in newtons, are felt as if the
        hand had sent them.

        Raises:
            ValueError: if a value is not finite, or no hand can have it.
        """
        human = self._take_place()
        if self._guided:
            human.guide(from_keys(feedback, CLOSURE_KEYS, human.expected_closure))
            return
        world = self._session_at_hand.world
        sample = sample_of(feedback, world.hand_sample(), world.time)
        if sample is not None:
            world.feel.publish(sample)

    def enable_torque(self) -> None:
        """Let the glove's motors lead the fingers: `send_feedback` sets position goals."""
        self._guided = True
        self._take_place().is_active = False

    def disable_torque(self) -> None:
        """Give the fingers back to the person, who goes on from where the glove stands."""
        self._guided = False

    @check_if_not_connected
    def disconnect(self) -> None:
        """Take the glove off."""
        if self._human is not None:
            self._human.detach()
        if self._session is not None:
            self._session.world.listeners.remove(self._rest_when_unread)
            self._session.listeners.remove(self._on_trial)
        self._human = self._session = None
        self._connected = False

    @property
    def _session_at_hand(self) -> Session:
        assert self._session is not None
        return self._session

    def _take_place(self) -> Human:
        if self._human is None:
            self._session = find_session(self.config.rig)
            self._session.world.listeners.append(self._rest_when_unread)
            habits = OperatorConfig(sight_error_m=self.config.sight_error_m)
            self._human = Human(self._session.world, habits, self.config.feedback, self._mapping)
            self._session.listeners.append(self._on_trial)
            self._on_trial(self._session.trial)
        return self._human

    def _rest_when_unread(self) -> None:
        """Called at the glove's rate, before the person moves: nobody has read the glove for a whole control
        tick.
        """
        assert self._human is not None
        world = self._session_at_hand.world
        if self._unread_ticks >= world.feedback_rate // world.fps:
            self._human.is_active = False
        self._unread_ticks += 1

    def _on_trial(self, trial: TrialSetup) -> None:
        assert self._human is not None
        self._human.reset(trial.seed)
        self._finished_at = None

    def _start_over_when_done(self) -> None:
        """Under `lerobot-teleoperate` nobody announces episodes: the person puts the next object there."""
        session = self._session_at_hand
        if session.is_announced or self._human is None or not self._human.done:
            return
        now = session.world.time
        if self._finished_at is None:
            self._finished_at = now
        elif now - self._finished_at >= self.config.pause_s:
            session.next_trial()
