import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset
from lerobot.policies import make_policy, make_pre_post_processors
from PIL import Image, ImageSequence

from softgrasp_plugin.datasets.importing import ImportOptions, write_dataset
from softgrasp_plugin.datasets.recordings import read_recording
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.scripts import plot, plotting
from softgrasp_plugin.scripts.plot import PlotConfig

from ..datasets.synthetic import write_recording

REPO_ID = "tester/apple"
REAL = Path(__file__).parents[2] / ".." / "shared" / "recordings"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of five episodes of twelve frames."""
    folder = tmp_path_factory.mktemp("plot")
    recording = read_recording(write_recording(folder, "apple"))
    options = ImportOptions(30, "Grasp the apple.", video=False, segments=5)
    write_dataset([recording], REPO_ID, folder / "dataset", options)
    return folder / "dataset"


@pytest.fixture(scope="module")
def checkpoint(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small untrained policy, saved as lerobot-train saves it."""
    meta = LeRobotDataset(REPO_ID, root=root).meta
    config = SoftGraspConfig(
        device="cpu",
        push_to_hub=False,
        image_size=(16, 24),
        backbone_stages=1,
        feature_dim=16,
        head_hidden_dims=[16],
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    policy = make_policy(config, ds_meta=meta)
    policy.save_pretrained(folder)
    for processor in make_pre_post_processors(config, dataset_stats=meta.stats):
        processor.save_pretrained(folder)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["softgrasp-plot", f"--repo_id={REPO_ID}", *arguments])
    plot.main()


def test_draws_a_demonstration(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, f"--root={root}", "--episode=2", f"--output_dir={tmp_path}", "--num_images=3")
    assert [path.name for path in tmp_path.iterdir()] == ["demonstration_episode_2.png"]


def test_with_a_policy_draws_attention_and_measures_the_held_out_episodes(
    root: Path,
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drawn: list[Any] = []
    draw = plotting.draw_demonstration
    monkeypatch.setattr(plotting, "draw_demonstration", lambda shown: drawn.append(shown) or draw(shown))
    arguments = (
        f"--root={root}",
        f"--policy_path={checkpoint}",
        "--eval_split=0.4",
        f"--output_dir={tmp_path}",
    )
    run(monkeypatch, *arguments)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "demonstration_episode_0.png",
        "errors.json",
        "prediction.png",
    ]
    assert sum(drawn[0].attention.values()) == pytest.approx([1.0] * 12)
    errors = json.loads((tmp_path / "errors.json").read_text())
    assert errors["episodes"] == [3, 4]  # as lerobot-train's eval_split
    assert errors["frames"] == 2 * (12 - 1)
    assert all(len(errors["mean_absolute_error"][name]) == 6 for name in ("closure", "torque"))
    printed = capsys.readouterr().out
    assert "Mean absolute error over 22 frames" in printed
    assert "episodes 3, 4" in printed


@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_an_episode_as_a_film(
    root: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    run(
        monkeypatch,
        f"--root={root}",
        f"--policy_path={checkpoint}",
        f"--video={ending}",
        f"--output_dir={tmp_path}",
    )
    path = tmp_path / f"film_episode_0.{ending}"
    if ending == "mp4":
        with av.open(str(path)) as film:
            frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    else:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(Image.open(path))]
    assert len(frames) == (12 if ending == "mp4" else 4)
    assert all(frame.shape == (240, 640, 3) for frame in frames)
    assert (frames[0] != frames[-1]).any()


def test_a_bad_input_ends_with_one_line(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"softgrasp-plot: There is no episode 9: the dataset has 0…4\."):
        run(monkeypatch, f"--root={root}", "--episode=9")
    with pytest.raises(SystemExit, match=r"no camera 'front'.*observation\.images\.side"):
        run(monkeypatch, f"--root={root}", "--image_key=front")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"eval_split": 1.0, "policy_path": "p"}, "--eval_split must .*got 1.0"),
        ({"eval_split": 0.2}, "--policy_path"),
        ({"held_out_episodes": [], "policy_path": "p"}, "names no episode"),
        ({"num_images": 0}, "--num_images must .*got 0"),
        ({"format": "gif"}, "--format=gif"),
        ({"video": "avi"}, "--video=avi: expected mp4, gif, webp"),
    ],
)
def test_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlotConfig(REPO_ID, **options)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the authors' recording is not on this machine")
def test_the_real_recording_is_imported_trained_on_and_evaluated(tmp_path: Path) -> None:
    dataset = (f"--repo_id={REPO_ID}", f"--root={tmp_path / 'dataset'}")
    call("softgrasp-import", *dataset, f"--recordings={REAL}", "--image_size=[64,96]", "--segments=10")
    call(
        "lerobot-train",
        *(option.replace("--", "--dataset.") for option in dataset),
        "--dataset.eval_split=0.2",
        "--eval_steps=4",
        "--policy.type=softgrasp",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.image_size=[16,24]",
        "--policy.backbone_stages=1",
        "--policy.feature_dim=16",
        "--steps=4",
        "--batch_size=4",
        "--num_workers=0",
        f"--output_dir={tmp_path / 'train'}",
    )
    checkpoint = tmp_path / "train" / "checkpoints" / "last" / "pretrained_model"
    figures = tmp_path / "figures"
    call(
        "softgrasp-plot",
        *dataset,
        f"--policy_path={checkpoint}",
        "--eval_split=0.2",
        f"--output_dir={figures}",
    )
    errors = json.loads((figures / "errors.json").read_text())
    assert errors["episodes"] == [8, 9]
    assert errors["frames"] == 49 + 50 - 2
    assert (figures / "demonstration_episode_0.png").is_file()


def call(command: str, *arguments: str) -> None:
    program = Path(sys.executable).parent / command
    result = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, f"{command} failed:\n{result.stderr[-3000:]}"
