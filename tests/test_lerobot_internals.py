"""LeRobot, as installed, still is as `lerobot_internals` takes it to be; each failure names the change."""

import inspect
import logging
import re
import sys
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import pytest
import torch
from lerobot.configs import DatasetConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.utils.utils import init_logging, log_say

from softgrasp_plugin.lerobot_internals import (
    AnnouncementListener,
    TorchcodecInOneLine,
    announces_episodes,
    goes_on_from,
    hears_training,
    lazy_async_vector_env,
    temporal_ensembler,
)
from softgrasp_plugin.running_command import RunningCommand

CALLED = "softgrasp_plugin/lerobot_internals.py calls it, so change it there."


def accepts(module: str, name: str, *parameters: str) -> None:
    """LeRobot has a function with these parameters."""
    function: Any = import_module(module)
    for part in name.split("."):
        function = getattr(function, part, None)
    assert function is not None, f"LeRobot no longer has {module}.{name}; {CALLED}"
    known = list(signature(function).parameters)
    missing = set(parameters) - set(known)
    assert not missing, f"{module}.{name} no longer takes {missing}, but {known}; {CALLED}"


def source(module: str) -> str:
    return inspect.getsource(import_module(module))


def test_lazy_vector_environment() -> None:
    utils = import_module("lerobot.envs.utils")
    if hasattr(utils, "_LazyAsyncVectorEnv"):
        accepts("lerobot.envs.utils", "_LazyAsyncVectorEnv", "env_fns")
    accepts("lerobot.envs.utils", "freeze_after_episode_end", "env_fn")


def test_files_of_a_recording() -> None:
    module = "lerobot.datasets.dataset_metadata"
    accepts(module, "LeRobotDatasetMetadata.get_chunk_settings")
    sizes = ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb")
    accepts(module, "LeRobotDatasetMetadata.update_chunk_settings", *sizes)
    accepts("lerobot.datasets.dataset_writer", "DatasetWriter.close_writer")
    assert "self.latest_episode = episode_dict" in source(module), (
        f"LeRobotDatasetMetadata.latest_episode is no longer the newest episode's row; {CALLED}"
    )
    assert '"size": 0' in source("lerobot.datasets.dataset_writer") or 'ep_buffer["size"] = 0' in source(
        "lerobot.datasets.dataset_writer"
    ), f"the buffer of an episode no longer counts its rows as 'size'; {CALLED}"
    assert "self.writer" in source("lerobot.datasets.lerobot_dataset"), (
        f"LeRobotDataset no longer keeps its writer in `writer`; {CALLED}"
    )


def test_videos() -> None:
    module = "lerobot.datasets.video_utils"
    accepts(
        module, "decode_video_frames", "video_path", "timestamps", "tolerance_s", "backend", "return_uint8"
    )


def test_samples_and_training() -> None:
    accepts("lerobot.datasets.feature_utils", "get_delta_indices", "delta_timestamps", "fps")
    module = "lerobot.scripts.lerobot_train"
    accepts(module, "train", "cfg", "accelerator")
    assert re.search(r"accelerator\.prepare\([^)]*dataloader", source(module)), (
        f"lerobot-train no longer hands its data loader to the accelerator; {CALLED}"
    )


def test_a_training_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.utils.logging_utils import AverageMeter, MetricsTracker

    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    assert re.search(r"logging\.info\(\w*tracker\)", source("lerobot.scripts.lerobot_train")), (
        f"lerobot-train no longer logs its MetricsTracker as it is; hears_training hears nothing. {CALLED}"
    )
    heard: list[dict[str, float]] = []
    with hears_training(heard.append):
        init_logging()  # takes every handler away
        tracker = MetricsTracker(4, 100, 2, {"loss": AverageMeter("loss")}, initial_step=3)
        tracker.loss = 0.5
        logging.info(tracker)
        logging.info("something else")
    logging.info(tracker)
    assert [(numbers.get("steps"), numbers.get("loss")) for numbers in heard] == [(3, 0.5)], (
        f"MetricsTracker.to_dict() no longer gives steps and means; {CALLED}"
    )


def test_a_training_goes_on_from_the_command_lines_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "pretrained_model"
    folder.mkdir()
    (folder / "train_config.json").touch()
    cfg = TrainPipelineConfig(DatasetConfig("a/b"), policy=ACTConfig(push_to_hub=False), resume=True)
    typed = list(sys.argv)
    try:
        with goes_on_from(tmp_path):
            cfg.validate()
    except ValueError as error:
        pytest.fail(f"TrainPipelineConfig.validate no longer finds the checkpoint: {error} {CALLED}")
    assert (cfg.checkpoint_path, cfg.policy.pretrained_path) == (tmp_path, folder), (
        f"TrainPipelineConfig.validate no longer takes the checkpoint from --config_path; {CALLED}"
    )
    assert sys.argv == typed


def test_chunks_are_averaged() -> None:
    ensembler = temporal_ensembler(0.0, 2)  # coefficient 0: a plain mean
    ensembler.update(torch.tensor([[[1.0], [2.0]]]))
    assert ensembler.update(torch.tensor([[[4.0], [0.0]]])).tolist() == [[3.0]], (
        "ACTTemporalEnsembler no longer averages what overlaps; policies/stack_policy.py acts on it"
    )
    ensembler.reset()
    assert ensembler.update(torch.tensor([[[4.0], [0.0]]])).tolist() == [[4.0]]


@pytest.mark.parametrize("module", ["lerobot.scripts.lerobot_record", "lerobot.rollout.strategies.episodic"])
def test_episodes_are_announced_by_number(module: str) -> None:
    call = 'log_say(f"Recording episode {dataset.num_episodes}"'
    assert call in source(module), (
        f"{module} no longer announces an episode with {call}…); AnnouncementListener waits for that message."
    )


def test_an_announcement_is_logged_at_level_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_say("Recording episode 3", play_sounds=False)
    said = [record for record in caplog.records if record.name == "root" and record.levelno == logging.INFO]
    assert [record.getMessage() for record in said] == ["Recording episode 3"], (
        "log_say no longer logs to the root logger at level INFO; AnnouncementListener waits there"
    )


def test_rollout_strategies_are_known_by_name_and_only_one_announces() -> None:
    from lerobot.rollout import configs, strategies

    config = getattr(configs, "EpisodicStrategyConfig", None)
    assert config is not None, "lerobot.rollout has no EpisodicStrategyConfig any more"
    assert config().type == "episodic", "the announcing strategy is no longer called episodic"
    folder = Path(strategies.__file__).parent
    announcing = {path.stem for path in folder.glob("*.py") if "Recording episode" in path.read_text()}
    assert announcing == {"episodic"}, (
        f"other strategies announce episodes: {announcing}; see announces_episodes"
    )


def test_a_policy_sees_channels_by_their_ending() -> None:
    text = source("lerobot.rollout.context")
    assert re.search(r'v is float and k\.endswith\(\("\.pos", "\.vel"\)\)', text), (
        "lerobot-rollout no longer selects channels by the ending .pos; joints.py names forces for that"
    )


@pytest.mark.parametrize("command", ["record", "teleoperate"])
def test_feedback_is_sent_to_one_other_robot_only(command: str) -> None:
    text = source(f"lerobot.scripts.lerobot_{command}")
    guarded = re.findall(r'if robot\.name == "unitree_g1":\s+teleop\.send_feedback\(obs\)', text)
    assert len(guarded) == text.count("send_feedback("), (
        f"lerobot-{command} sends feedback to more robots than before: the glove would be told twice"
    )


def test_a_vector_environment_is_had_without_the_lazy_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from lerobot.envs import utils

    factories = [lambda: gym.make("CartPole-v1")] * 2
    probe = factories[0]()
    assert type(lazy_async_vector_env(factories, probe)).__name__ == "_LazyAsyncVectorEnv"
    monkeypatch.delattr(utils, "_LazyAsyncVectorEnv")
    made: list[int] = []
    monkeypatch.setattr("gymnasium.vector.AsyncVectorEnv", lambda fns, **_: made.append(len(fns)))
    lazy_async_vector_env(factories, probe)
    assert made == [2]


def test_who_announces() -> None:
    recorded = SimpleNamespace(writer=object())
    assert announces_episodes(RunningCommand("record", SimpleNamespace(), recorded))
    assert not announces_episodes(RunningCommand("replay", SimpleNamespace(), SimpleNamespace(writer=None)))
    for kind, expected in (("episodic", True), ("base", False)):
        config = SimpleNamespace(strategy=SimpleNamespace(type=kind))
        assert announces_episodes(RunningCommand("rollout", config, None)) is expected
    assert not announces_episodes(None)


def test_a_listener_knows_why_it_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    level = root.level
    listener = AnnouncementListener(lambda _: None)
    try:
        root.setLevel(logging.INFO)
        listener.listen()
        assert listener.is_deaf is None
        root.setLevel(logging.WARNING)
        assert listener.is_deaf == "the log level is WARNING"
        root.setLevel(logging.INFO)
        root.handlers.clear()
        assert listener.is_deaf == "logging was set up a second time after the robot was connected"
    finally:
        root.setLevel(level)
        listener.stop()


def test_torchcodecs_page_of_tracebacks_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """LeRobot asks for a decoder wherever a dataset is configured, and logs the page each time."""
    from lerobot.utils import import_utils

    (tmp_path / "torchcodec.py").write_text("raise RuntimeError('FFmpeg version 8:\\n' * 50)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torchcodec", raising=False)
    logger = logging.getLogger("lerobot.utils.import_utils")
    assert any(isinstance(found, TorchcodecInOneLine) for found in logger.filters)
    monkeypatch.setattr(logger, "filters", [TorchcodecInOneLine()])
    for _ in range(2):
        assert import_utils.get_safe_default_video_backend() == "pyav"
    (record,) = caplog.records
    assert "apt-get install ffmpeg" in record.getMessage()
    assert "FFmpeg version 8" not in record.getMessage()
