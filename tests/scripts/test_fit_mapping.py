"""`softgrasp-fit-mapping`, read by read and from end to end."""

import subprocess
import sys

import numpy as np
import pytest

from softgrasp_plugin.grasping.mapping import PAPER_MAPPING, AngleMapping
from softgrasp_plugin.joints import NUM_JOINTS
from softgrasp_plugin.scripts.fit_mapping import GLOVE_COLUMNS, HAND_COLUMNS, read_pairs, summary

DOMAINS = np.array([joint.domain for joint in PAPER_MAPPING.joints])


def pairs(n=200):
    share = np.linspace(0, 1, n)[:, None]
    glove = DOMAINS[:, 0] + share * (DOMAINS[:, 1] - DOMAINS[:, 0])
    return glove, PAPER_MAPPING(glove)


def write_csv(path, glove, hand, extra=""):
    header = ",".join(GLOVE_COLUMNS + HAND_COLUMNS) + (",note" if extra else "")
    rows = [
        ",".join(map(repr, row.tolist())) + (f",{extra}" if extra else "") for row in np.hstack([glove, hand])
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_npz(path, glove, hand):
    np.savez(path, **dict(zip(GLOVE_COLUMNS + HAND_COLUMNS, np.hstack([glove, hand]).T, strict=True)))
    return path


def command(*args):
    return subprocess.run(
        [sys.executable, "-m", "softgrasp_plugin.scripts.fit_mapping", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_end_to_end(tmp_path):
    source = write_csv(tmp_path / "pairs.csv", *pairs())
    done = command(f"--pairs={source}", f"--output_dir={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    mapping = AngleMapping.load(tmp_path / "out" / "mapping.json")
    for joint, paper in zip(mapping.joints, PAPER_MAPPING.joints, strict=True):
        np.testing.assert_allclose(joint.coefficients, paper.coefficients, rtol=1e-5, atol=1e-8)
    assert (tmp_path / "out" / "mapping_fit.png").read_bytes().startswith(b"\x89PNG")
    assert "200 pairs" in done.stdout
    assert "thumb_swing" in done.stdout


def test_a_bad_file_ends_with_one_line_and_writes_nothing(tmp_path):
    glove, hand = pairs()
    source = write_npz(tmp_path / "pairs.npz", glove, 1 - hand)
    done = command(f"--pairs={source}", f"--output_dir={tmp_path / 'out'}")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("softgrasp-fit-mapping: little_bend:")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_reads_csv_and_npz_alike(tmp_path):
    glove, hand = pairs()
    for path in (
        write_csv(tmp_path / "a.csv", glove, hand, extra="kept out"),
        write_npz(tmp_path / "a.npz", glove, hand),
    ):
        read = read_pairs(path)
        np.testing.assert_array_equal(read[0], glove)
        np.testing.assert_array_equal(read[1], hand)


def test_csv_errors_say_where(tmp_path):
    path = write_csv(tmp_path / "a.csv", *pairs(10))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], "abc" + lines[3][lines[3].index(",") :], *lines[4:]]))
    with pytest.raises(ValueError, match="row 4, column glove_little_bend: expected a number, got 'abc'"):
        read_pairs(path)
    path.write_text("\n".join([*lines[:3], lines[3].rsplit(",", 1)[0]]))
    with pytest.raises(ValueError, match="row 4, column hand_thumb_swing: expected a number, got None"):
        read_pairs(path)
    path.write_text("glove_little_bend,x\n1,2\n")
    with pytest.raises(ValueError, match=r"glove_ring_bend, .* are missing; found glove_little_bend"):
        read_pairs(path)


def test_npz_errors_say_what(tmp_path):
    glove, hand = pairs(10)
    path = tmp_path / "a.npz"
    columns = dict(zip(GLOVE_COLUMNS + HAND_COLUMNS, np.hstack([glove, hand]).T, strict=True))
    np.savez(path, **columns | {"hand_ring_bend": hand[:5, 1]})
    with pytest.raises(ValueError, match="differ in length"):
        read_pairs(path)
    np.savez(path, **columns | {"hand_ring_bend": hand})
    with pytest.raises(ValueError, match=r"hand_ring_bend must have shape \(N,\)"):
        read_pairs(path)
    np.savez(path, **columns | {"hand_ring_bend": np.array([object()])})
    with pytest.raises(ValueError, match="not an NPZ file of plain number arrays"):
        read_pairs(path)
    for content in (b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not an NPZ file"):
            read_pairs(path)


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_pairs(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match=r"expected a \.csv or \.npz file"):
        read_pairs(tmp_path / "pairs.txt")


def test_summary_has_a_row_per_joint():
    lines = summary(PAPER_MAPPING).splitlines()
    assert len(lines) == 1 + NUM_JOINTS
    assert "0.419 … 0.713" in lines[-1]
    assert "9.944e-03" in lines[1]
