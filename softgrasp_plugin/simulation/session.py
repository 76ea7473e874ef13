"""A simulated rig inside one LeRobot command: its world, its trials, and where teleoperator and robot find
each other.

`lerobot-record` and `lerobot-rollout` tell a robot nothing about episodes; they tell the *person*: "Recording
episode 3" is spoken and logged, and the person puts the object back. The session listens to that announcement
in the same way: it sets the scene for a new trial. The number in it makes an episode's scene a function of
(seed, episode, attempt), whatever happened during the reset before it. An announcement that is due and not
heard ends the recording: new grasps would begin in the middle of its episodes.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from ..lerobot_internals import AnnouncementListener, announces_episodes
from ..running_command import RunningCommand
from .catalogue import SIM_OBJECT_BY_TASK
from .world import World

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrialSetup:
    """One scene: which object lies there and which seed decides everything that varies.

    Attributes:
        episode: number of the scene in its session.
        attempt: how often this episode was begun before.
        object_id: row of Table 2, or number of a random object.
        seed: of this scene, drawn from the session's seed, the episode and the attempt.
    """

    episode: int
    attempt: int
    object_id: int
    seed: int


class Session:
    """The trials of one simulated rig.

    Args:
        world: the world, already built.
        tasks: names of the objects to present, in turn, one per episode.
        seed: seed of the whole session.
        episode: number of the scene that the session begins with, and that an announced episode 0 gets.
        attempt: number of the attempt at it.
        command: the LeRobot command that drives the rig; None in a program of one's own.
    """

    def __init__(
        self,
        world: World,
        tasks: Sequence[str],
        seed: int,
        episode: int = 0,
        attempt: int = 0,
        command: RunningCommand | None = None,
    ) -> None:
        self.world = world
        self.listeners: list[Callable[[TrialSetup], None]] = []
        self.judges: list[Callable[[str], None]] = []
        self._tasks = tuple(tasks)
        self._seed = seed
        self._first_episode, self._first_attempt = episode, attempt
        self._is_decided = False
        self._trial = self._make_trial(0, 0)
        self._announced: int | None = None
        self._command = command
        self._listener = AnnouncementListener(self.begin_episode)

    @property
    def trial(self) -> TrialSetup:
        return self._trial

    @property
    def is_announced(self) -> bool:
        """Whether a LeRobot command decides about the trials; without announcements whoever operates the rig
        does.
        """
        return self._announced is not None

    def open(self, name: str) -> None:
        """Set the first scene, start listening, and become findable under `name`.

        Raises:
            DeviceAlreadyConnectedError: if another rig of that name is open in this process.
        """
        if name in _sessions:
            raise DeviceAlreadyConnectedError(
                f"A simulated rig named {name!r} is already open in this process; "
                "give the second one another --robot.rig."
            )
        _sessions[name] = self
        self._listener.listen()
        self.world.listeners.append(self._judge)
        self._set_scene(self._trial)

    def close(self, name: str) -> None:
        """Report the last trial if it is undecided, stop listening and forget the session."""
        self._report_undecided()
        self.world.listeners.remove(self._judge)
        self._listener.stop()
        _sessions.pop(name, None)

    def require_announcement(self) -> None:
        """Make sure that the episode being recorded is the one whose scene was set; call it at every action.

        Raises:
            RuntimeError: if the running command announces its episodes and this one was not heard.
        """
        if not announces_episodes(self._command):
            return
        assert self._command is not None
        dataset = self._command.dataset
        episode = None if dataset is None else dataset.num_episodes
        is_current = self._announced is not None and episode in (None, self._announced)
        deafness = self._listener.is_deaf
        if is_current and deafness is None:
            return
        name = "the episode" if episode is None else f"episode {episode}"
        raise RuntimeError(
            f"The simulated rig did not hear that {name} began: lerobot's {self._command.name!r} logs "
            f'"Recording episode N" at level INFO, and {deafness or "that message did not come"}. Without '
            "it, new objects would appear in the middle of recorded episodes. Leave logging as LeRobot sets "
            "it up (level INFO, set up once, before the robot is connected); with a LeRobot that words the "
            "message differently, update lerobot_robot_softgrasp."
        )

    def next_trial(self) -> None:
        """Put the next object in front of the hand."""
        self._report_undecided()
        self._set_scene(self._make_trial(self._trial.episode - self._first_episode + 1, 0))

    def begin_episode(self, episode: int) -> None:
        """Set the scene of an episode; the same number again is the next attempt at it."""
        repeated = episode == self._announced
        if self._announced is not None:
            self._report_undecided()
        self._announced = episode
        attempts = self._trial.attempt - self._first_attempt + 1
        self._set_scene(self._make_trial(episode, attempts if repeated else 0))

    def _make_trial(self, episode: int, attempt: int) -> TrialSetup:
        episode, attempt = episode + self._first_episode, attempt + self._first_attempt
        task = self._tasks[episode % len(self._tasks)]
        seed = int(np.random.SeedSequence([self._seed, episode, attempt]).generate_state(1)[0])
        return TrialSetup(episode, attempt, SIM_OBJECT_BY_TASK[task].object_id, seed)

    def _set_scene(self, trial: TrialSetup) -> None:
        self._trial = trial
        self._is_decided = False
        self.world.reset(object_id=trial.object_id, seed=trial.seed)
        for listener in self.listeners:
            listener(trial)

    def _judge(self) -> None:
        """Give the verdict in the moment in which the grasp is decided, as an environment ends its episode
        then: what is done with the hand afterwards, such as opening it at the end of a rollout, is no part of
        the trial.
        """
        if not self._is_decided and self.world.outcome().is_decided:
            self._report()
            for judge in self.judges:
                judge(self.world.outcome().verdict)

    def _report_undecided(self) -> None:
        if not self._is_decided and self.world.time > 0.0:
            self._report()

    def _report(self) -> None:
        self._is_decided = True
        outcome = self.world.outcome()
        logger.info(
            "Trial %d, %s: %s (lifted %.0f mm, held %.1f s, peak grip %.1f N, deformed %.1f mm%s)",
            self._trial.episode,
            self.world.object.table_row.task,
            outcome.verdict,
            outcome.height_m * 1e3,
            outcome.held_s,
            outcome.peak_grip_force_n,
            outcome.max_deformation_mm,
            ", crushed" if outcome.is_crushed else "",
        )


_sessions: dict[str, Session] = {}


def find_session(name: str) -> Session:
    """The open session of that name.

    Raises:
        DeviceNotConnectedError: if no simulated robot of that name is connected in this process.
    """
    if name not in _sessions:
        raise DeviceNotConnectedError(
            f"No simulated rig named {name!r} is connected in this process. The virtual operator stands "
            "beside a simulated robot: use --robot.type=ur3_dexhand_sim, and the same name for --robot.rig "
            "and --teleop.rig."
        )
    return _sessions[name]
