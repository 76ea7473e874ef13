"""What a robot does so that a recording of it loses no saved episode, and says which is not good."""

from ..datasets.checkpoints import Checkpoints
from ..datasets.recording_watch import RecordingWatch
from ..devices.gloves import exit_guard
from ..running_command import running_command


class SafeRecording:
    """Ends each episode's files when it is saved, and lets a save finish before a signal ends the command.

    Where the running command does not record episode by episode with `lerobot-record`, only the latter. Every
    saved episode is looked at (`RecordingWatch`).

    Args:
        is_simulated: the world waits for the loop that records it.
    """

    def __init__(self, is_simulated: bool = False) -> None:
        self._is_simulated = is_simulated
        self._checkpoints: Checkpoints | None = None
        self._watch: RecordingWatch | None = None

    def begin(self) -> None:
        """The robot is connected."""
        exit_guard.guard(self)
        command = running_command()
        if command is None or not command.is_recording:
            return
        self._watch = RecordingWatch(command.dataset, self._is_simulated)
        # Episodes whose videos are encoded later, several at a time, cannot be ended one by one.
        options = getattr(command.config, "dataset", None)
        if getattr(options, "video_encoding_batch_size", 1) == 1:
            self._checkpoints = Checkpoints(command.dataset)

    def update(self) -> None:
        """An observation is asked for, so nothing is being saved."""
        exit_guard.deliver_postponed()
        if self._checkpoints is not None:
            self._checkpoints.update()
        if self._watch is not None:
            self._watch.update()

    def end(self) -> None:
        """The robot has been disconnected, which LeRobot does when it has finalized the dataset."""
        exit_guard.unguard(self)
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if self._checkpoints is not None:
            self._checkpoints.end()
            self._checkpoints = None

    def mute(self, timeout_s: float) -> bool:
        """There is no force to release; the guard asks for it at every signal."""
        return True

    def stop(self) -> None:
        """Nothing outlives the process."""
