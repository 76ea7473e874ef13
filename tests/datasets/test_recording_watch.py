import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from softgrasp_plugin.datasets.recording_watch import RecordingWatch
from softgrasp_plugin.running_command import NOTES_FILE, EpisodeNotes

FPS, ROWS, KEY = 30, 60, "observation.images.side"


class Recording:
    """A dataset that is being recorded, and the loop that does it; `watch` sees both."""

    def __init__(self, root: Path, is_simulated: bool = False) -> None:
        self.now_s = 100.0
        self.dataset = SimpleNamespace(
            root=root,
            fps=FPS,
            num_episodes=0,
            writer=SimpleNamespace(episode_buffer={"size": 0}),
            meta=SimpleNamespace(video_keys=[KEY], latest_episode=None),
        )
        (root / "meta").mkdir(parents=True)
        self.watch = RecordingWatch(self.dataset, is_simulated, clock=lambda: self.now_s)

    def loop(self, rate_hz: float, rows: int = ROWS) -> None:
        for _ in range(rows):
            self.watch.update()
            self.dataset.writer.episode_buffer["size"] += 1
            self.now_s += 1 / rate_hz

    def put_back(self, seconds: float = 10.0) -> None:
        for _ in range(20):
            self.now_s += seconds / 20
            self.watch.update()

    def discard(self) -> None:
        self.dataset.writer.episode_buffer["size"] = 0

    def save(self, missing: int = 0, **columns: Any) -> None:
        rows = self.dataset.writer.episode_buffer["size"]
        video = {
            f"videos/{KEY}/from_timestamp": [4.0],
            f"videos/{KEY}/to_timestamp": [4 + (rows - missing) / FPS],
        }
        self.dataset.meta.latest_episode = {"length": [rows], **(columns or video)}
        self.dataset.num_episodes += 1
        self.discard()
        self.now_s += 1.0

    @property
    def notes(self) -> dict[str, Any]:
        path = self.dataset.root / NOTES_FILE
        return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


def test_a_good_episode_is_told_with_its_rate(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        recording.loop(FPS)
        recording.put_back()
        recording.save()
    recording.watch.end()  # of the last one the robot only hears when it is disconnected
    assert [record.getMessage() for record in caplog.records] == [
        "Episode 0: 60 rows at 30.0 Hz.",
        "Episode 1: 60 rows at 30.0 Hz.",
    ]
    assert recording.notes == {}


def test_a_slow_episode_is_named_with_the_remedy(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.loop(FPS)
    recording.save()
    recording.loop(FPS, 30)
    recording.loop(15.0, 30)
    recording.put_back()
    recording.save()
    recording.loop(FPS, 1)
    (warning,) = caplog.records
    assert warning.getMessage().startswith("Episode 1 was recorded at 20.")
    assert "Record the episode again" in warning.getMessage()
    assert list(recording.notes) == ["1"]
    assert float(recording.notes["1"]["recorded_hz"]) == pytest.approx(20, abs=1)


def test_in_simulation_a_slow_loop_only_shortens_the_episode(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recording(tmp_path, is_simulated=True)
    recording.loop(20.0)
    recording.save()
    recording.watch.end()
    assert "what is recorded is right" in caplog.text


def test_missing_pictures_are_named_with_the_remedy(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.loop(FPS)
    recording.save(missing=3)
    recording.watch.update()
    assert f"Episode 0 has 60 rows and 57 pictures of {KEY}" in caplog.text
    assert "streaming_encoding=false" in caplog.text
    assert recording.notes == {"0": {f"pictures {KEY}": "57 for 60 rows"}}


def test_an_attempt_that_was_thrown_away_does_not_count(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.loop(10.0)
    recording.put_back()
    recording.discard()
    recording.put_back()
    recording.loop(FPS)
    recording.save()
    recording.watch.end()
    assert caplog.records == []


def test_videos_that_are_encoded_later_are_not_judged(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    recording.loop(FPS)
    recording.save(tasks=["grasp"])
    recording.watch.end()
    assert caplog.records == []


def test_a_few_rows_tell_no_rate(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    recording.loop(5.0, 8)
    recording.save()
    recording.watch.end()
    assert caplog.records == []


def test_what_the_robot_notes_meanwhile_stays(recording: Recording) -> None:
    recording.loop(10.0)
    recording.save()
    robots = EpisodeNotes(recording.dataset)
    robots.begin(seed=3)
    recording.watch.update()
    robots.add(verdict="success")
    assert recording.notes["1"] == {"seed": 3, "verdict": "success"}
    assert "recorded_hz" in recording.notes["0"]


@pytest.mark.parametrize("is_simulated", [False, True])
def test_what_was_noted_of_an_attempt_that_was_thrown_away_goes_with_it(
    tmp_path: Path, is_simulated: bool
) -> None:
    recording = Recording(tmp_path, is_simulated)
    recording.loop(FPS)
    EpisodeNotes(recording.dataset).add(doubt="it stood")
    recording.discard()
    recording.watch.update()
    # A simulated rig began new notes itself, when it heard that the episode is recorded again.
    assert recording.notes == ({"0": {"doubt": "it stood"}} if is_simulated else {})
    recording.loop(FPS)
    recording.save()
    recording.watch.end()
    assert recording.notes == ({"0": {"doubt": "it stood"}} if is_simulated else {})
