import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from lerobot.utils.errors import DeviceNotConnectedError
from lerobot.utils.utils import log_say

from softgrasp_plugin.running_command import RunningCommand
from softgrasp_plugin.simulation.session import Session, find_session
from softgrasp_plugin.simulation.world import World


@pytest.fixture
def session() -> Iterator[Session]:
    logging.getLogger().setLevel(logging.INFO)
    session = Session(World(), ["object_01", "object_06"], seed=5)
    session.open("test")
    yield session
    session.close("test")


def announce(episode: int) -> None:
    log_say(f"Recording episode {episode}", play_sounds=False)


def test_an_announcement_sets_the_scene(session: Session) -> None:
    session.world.step()
    announce(1)
    assert session.world.time == 0.0
    assert session.trial.object_id == session.world.object_id == 6
    assert session.is_announced


def test_the_scene_depends_on_the_episode_and_not_on_what_came_before(session: Session) -> None:
    announce(0)
    announce(1)
    expected = session.trial
    announce(0)
    for _ in range(7):
        session.world.step()
    announce(1)
    assert session.trial == expected


def test_a_repeated_episode_gets_another_scene(session: Session) -> None:
    announce(0)
    first = session.trial
    announce(0)
    assert session.trial.attempt == 1
    assert session.trial.seed != first.seed


def test_other_messages_are_not_announcements(session: Session) -> None:
    trial = session.trial
    logging.info("Recording episodes")
    logging.info("Recording episode 3 failed")
    assert session.trial is trial


def test_trials_are_reported(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    announce(0)
    session.world.step()
    with caplog.at_level(logging.INFO):
        announce(1)
    assert "Trial 0, object_01: no success" in caplog.text


def test_a_closed_session_is_not_found_and_does_not_listen() -> None:
    session = Session(World(), ["object_01"], seed=0)
    session.open("closing")
    assert find_session("closing") is session
    session.close("closing")
    trial = session.trial
    announce(4)
    assert session.trial is trial
    with pytest.raises(DeviceNotConnectedError, match="ur3_dexhand_sim"):
        find_session("closing")


@pytest.fixture
def recording() -> Iterator[tuple[Session, SimpleNamespace]]:
    """A rig under `lerobot-record`, and the dataset that it records."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.setLevel(logging.INFO)
    dataset = SimpleNamespace(num_episodes=4, writer=object())
    command = RunningCommand("record", SimpleNamespace(), dataset)
    session = Session(World(), ["object_01"], seed=5, command=command)
    session.open("recording")
    yield session, dataset
    session.close("recording")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_recording_that_is_heard_goes_on(recording: tuple[Session, SimpleNamespace]) -> None:
    session, dataset = recording
    for episode in (4, 5):
        dataset.num_episodes = episode
        announce(episode)
        session.require_announcement()


@pytest.mark.parametrize("announced", [None, 3])
def test_another_wording_or_number_stops_the_recording(
    recording: tuple[Session, SimpleNamespace], announced: int | None
) -> None:
    session, _ = recording
    logging.info("Now recording number 4")
    if announced is not None:
        announce(announced)
    with pytest.raises(RuntimeError, match=r"did not hear that episode 4 began.*did not come"):
        session.require_announcement()


def test_a_raised_log_level_stops_the_recording(recording: tuple[Session, SimpleNamespace]) -> None:
    session, _ = recording
    announce(4)
    logging.getLogger().setLevel(logging.WARNING)
    with pytest.raises(RuntimeError, match="log level is WARNING"):
        session.require_announcement()


def test_a_second_logging_setup_stops_the_recording(recording: tuple[Session, SimpleNamespace]) -> None:
    session, _ = recording
    announce(4)
    logging.getLogger().handlers.clear()
    with pytest.raises(RuntimeError, match="set up a second time"):
        session.require_announcement()


def test_without_a_recording_command_nothing_has_to_be_announced(session: Session) -> None:
    session.require_announcement()
