import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softgrasp_plugin.datasets.recordings import NEWTON_PER_KGF, find_recordings, read_recording
from softgrasp_plugin.datasets.restricted_pickle import RefusedPickleError

from .synthetic import OFFSET_KGF, make_signals, write_recording

REAL = Path(__file__).parents[2] / ".." / "shared" / "recordings"
needs_real_recording = pytest.mark.skipif(
    not REAL.is_dir(), reason="the authors' recording is not on this machine"
)


def test_finds_one_recording_or_several_in_natural_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("apple_10", "apple_2", "cup_1"):
        write_recording(tmp_path, name, images=2)
    (tmp_path / "notes").mkdir()
    assert [folder.name for folder in find_recordings(tmp_path)] == ["apple_2", "apple_10", "cup_1"]
    assert "notes" in caplog.text
    assert [folder.name for folder in find_recordings(tmp_path / "apple_2")] == ["apple_2"]


def test_finds_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No recording found.*<name>\.pickle"):
        find_recordings(tmp_path)
    with pytest.raises(FileNotFoundError, match="not a folder"):
        find_recordings(tmp_path / "absent")


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_converts_to_our_units_whatever_the_scale(tmp_path: Path, scale: float) -> None:
    recording = read_recording(write_recording(tmp_path, "apple", make_signals(scale=scale)))
    signals = make_signals()
    np.testing.assert_allclose(recording.closure, 1.0 - signals["joint"], atol=1e-9)
    np.testing.assert_allclose(recording.torque, (signals["force"] - OFFSET_KGF) * NEWTON_PER_KGF, atol=1e-9)
    assert recording.lift_height is not None
    assert recording.lift_height.max() == pytest.approx(0.3)
    unit = "kilograms-force" if scale == 1.0 else "grams-force"
    assert f"scale: joint 0…{scale:g}, force in {unit}" in recording.notes


def test_forces_in_grams_beside_scaled_joints(tmp_path: Path) -> None:
    signals = make_signals()
    signals["force"] = signals["force"] * 1000
    recording = read_recording(write_recording(tmp_path, "apple", signals))
    assert recording.torque.max() == pytest.approx(0.5 * 2.0 * NEWTON_PER_KGF)


def test_weak_raw_forces_are_scaled_like_the_joints(tmp_path: Path) -> None:
    signals = make_signals(scale=1000.0)
    signals["force"] = np.full((60, 6), 3.0)  # grams-force of noise: as kilograms-force it would be 29 N
    recording = read_recording(write_recording(tmp_path, "apple", signals), free_air_frames=0)
    np.testing.assert_allclose(recording.torque, 0.003 * NEWTON_PER_KGF)


def test_command_is_the_next_measured_closure_where_actions_repeat_the_joints(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path, "apple"))
    np.testing.assert_array_equal(recording.command[:-1], recording.closure[1:])
    np.testing.assert_array_equal(recording.command[-1], recording.closure[-1])
    assert any("next frame" in note for note in recording.notes)


def test_command_is_read_from_actions_where_they_hold_one(tmp_path: Path) -> None:
    signals = make_signals()
    signals["actions"][:, 6::2] -= 0.1
    recording = read_recording(write_recording(tmp_path, "apple", signals))
    np.testing.assert_allclose(recording.command, np.clip(recording.closure + 0.1, 0, 1))
    assert any("commanded angles" in note for note in recording.notes)


def test_unequal_lengths_are_cut_and_reported(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path, "apple", make_signals(60), images=57))
    assert len(recording) == len(recording.closure) == len(recording.torque) == len(recording.command) == 57
    assert [path.name for path in recording.images[:3]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert "57 images, 60 rows of joint, 60 rows of force; cut to the common 57" in recording.notes[0]


def test_images_are_ordered_by_number_and_other_files_ignored(tmp_path: Path) -> None:
    folder = write_recording(tmp_path, "apple", images=12)
    (folder / "apple" / "masked_3.jpg").write_bytes(b"not an image")
    assert [path.stem for path in read_recording(folder).images] == [str(frame) for frame in range(12)]


def test_recordings_without_actions_have_no_lift(tmp_path: Path) -> None:
    signals = make_signals()
    del signals["actions"]
    recording = read_recording(write_recording(tmp_path, "apple", signals))
    assert recording.lift_height is None
    np.testing.assert_array_equal(recording.command[:-1], recording.closure[1:])


def test_offset_is_taken_before_the_first_contact_only(tmp_path: Path) -> None:
    signals = make_signals()
    signals["force"][5:] += 1.0  # touches early
    recording = read_recording(write_recording(tmp_path, "apple", signals))
    np.testing.assert_allclose(recording.torque[:5], 0.0, atol=1e-9)
    assert any("first 5 frames" in note for note in recording.notes)


def test_a_hand_that_starts_in_contact_has_no_offset(tmp_path: Path) -> None:
    signals = make_signals()
    signals["force"] += 1.0
    folder = write_recording(tmp_path, "apple", signals)
    with pytest.raises(ValueError, match="--free_air_frames=0"):
        read_recording(folder)
    assert read_recording(folder, free_air_frames=0).torque.min() > 9.0


def _with(**changes: Any) -> dict[str, Any]:
    return make_signals() | changes


def _holed(key: str, value: float) -> dict[str, Any]:
    signals = make_signals()
    signals[key][7, 2] = value
    return signals


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        ({}, "no 'joint' and no 'force'"),
        ({"joint": np.zeros((4, 6))}, "no 'force'"),
        ([1, 2], "holds a list"),
        (_with(joint=np.zeros((60, 5))), r"'joint' is float64 of shape \(60, 5\)"),
        (_with(force=np.zeros(60)), r"'force' is float64 of shape \(60,\)"),
        (_with(joint=np.full((60, 6), "x")), "'joint' is <U1"),
        (_with(joint=None), "'joint' is object"),
        (_with(joint=[[0.5] * 6] * 60), "'joint' is object of type list"),
        (_with(joint=np.zeros((0, 6)), force=np.zeros((0, 6))), "0 rows"),
        (_with(actions=np.zeros((10, 18))), "'actions' has 10 rows"),
        (_holed("joint", np.nan), "1 values of 'joint' are not finite, the first at row 7, column 2"),
        (_holed("force", np.inf), "1 values of 'force' are not finite"),
        (_with(joint=make_signals()["joint"] * 1.6), "looks like radians, percent or degrees"),
        (_with(joint=make_signals()["joint"] * 100), "looks like radians, percent or degrees"),
        (_with(joint=make_signals()["joint"] * 170), "looks like radians, percent or degrees"),
        (_holed("joint", -3.0), "'joint' ranges over -3…1"),
        (_holed("joint", 3000.0), "'joint' ranges over"),
        (_holed("force", 1e5), "'force' reaches 100000"),
    ],
)
def test_malformed_signals(tmp_path: Path, signals: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_recording(write_recording(tmp_path, "apple", signals, images=3))


def test_missing_frames(tmp_path: Path) -> None:
    folder = write_recording(tmp_path, "apple", images=10)
    (folder / "apple" / "4.jpg").unlink()
    with pytest.raises(ValueError, match=r"lacks 1 of its frames 0…9: 4\.jpg"):
        read_recording(folder)
    (folder / "apple" / "0.jpg").unlink()
    with pytest.raises(ValueError, match=r"starts at 1\.jpg"):
        read_recording(folder)


def test_a_frame_number_of_twelve_digits_takes_no_time(tmp_path: Path) -> None:
    folder = write_recording(tmp_path, "apple", images=4)
    (folder / "apple" / "999999999.jpg").write_bytes(b"")
    (folder / "apple" / "999999999999.jpg").write_bytes(b"")
    (folder / "apple" / "²³.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"lacks 999999995 of its frames 0…999999999: 4\.jpg, .* …"):
        read_recording(folder)


@pytest.mark.parametrize("kind", ["pipe", "link", "link to a device", "folder", "huge"])
@pytest.mark.parametrize("name", ["apple/2.jpg", "apple.pickle"])
def test_what_is_no_ordinary_file_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    folder = write_recording(tmp_path, "apple", images=4)
    path = folder / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    else:
        path.symlink_to("/dev/zero" if kind == "link to a device" else "/etc/hostname")
    with pytest.raises(ValueError, match=r"ordinary file|is a link|bytes"):
        read_recording(folder)


def test_no_images(tmp_path: Path) -> None:
    folder = write_recording(tmp_path, "apple", images=0)
    with pytest.raises(ValueError, match="holds 0 images"):
        read_recording(folder)
    (folder / "apple").rmdir()
    with pytest.raises(ValueError, match="is missing"):
        read_recording(folder)


def test_damaged_pickle_names_the_file(tmp_path: Path) -> None:
    folder = write_recording(tmp_path, "apple", images=2)
    (folder / "apple.pickle").write_bytes(b"")
    with pytest.raises(RefusedPickleError, match=r"apple\.pickle is empty"):
        read_recording(folder)


@needs_real_recording
def test_the_authors_recording() -> None:
    recording = read_recording(find_recordings(REAL)[0])
    assert recording.notes[0] == (
        "lengths differ: 492 images, 494 rows of joint, 494 rows of force; cut to the common 492 frames"
    )
    assert "scale: joint 0…1, force in kilograms-force" in recording.notes
    assert recording.closure.shape == recording.torque.shape == (492, 6)
    assert recording.closure[0].max() < 0.7 < recording.closure[-1].max()
    assert recording.torque.max() == pytest.approx(1.305 * NEWTON_PER_KGF + 0.11, abs=0.02)
    assert np.abs(np.median(recording.torque[:20], axis=0)).max() < 0.05
    assert recording.lift_height is not None
    assert recording.lift_height[-1] == pytest.approx(0.1925)
