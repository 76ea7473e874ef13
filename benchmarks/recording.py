"""Check a recording: rows against pictures of its videos, and what the episodes' notes say of their rate.

    lerobot-record --config_path=hub_configs/record/simulation.yaml --dataset.repo_id=local/long \
        --dataset.root=outputs/long --dataset.num_episodes=1 --dataset.episode_time_s=600 \
        --robot.cameras='{side: {type: softgrasp_sim, height: 480, width: 640, fps: 30}}'
    python benchmarks/recording.py --repo_id=local/long --root=outputs/long --episode_time_s=600

Pictures are counted in the video itself. The rate is that of the rows in the time that an episode had, the
starting of the loop included; a rate that `lerobot-record` warned about is in the notes, too. Fails if
pictures are missing or a rate is below 95 % of the dataset's.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import av
import draccus
from lerobot.datasets import LeRobotDatasetMetadata

from softgrasp_plugin.datasets.recording_watch import LEAST_SHARE
from softgrasp_plugin.running_command import NOTES_FILE


@dataclass
class RecordingConfig:
    repo_id: str
    root: Path
    episode_time_s: float


def pictures(path: Path) -> int:
    with av.open(str(path)) as video:
        return sum(packet.size > 0 for packet in video.demux(video=0))


@draccus.wrap()
def main(config: RecordingConfig) -> None:
    meta = LeRobotDatasetMetadata(config.repo_id, root=config.root)
    is_good = True
    for key in meta.video_keys:
        files = {meta.get_video_file_path(episode, key) for episode in range(meta.total_episodes)}
        counted = sum(pictures(meta.root / path) for path in files)
        is_good &= counted == meta.total_frames
        print(f"{key}: {counted} pictures in {len(files)} files for {meta.total_frames} rows")
    for episode in range(meta.total_episodes):
        rows = meta.episodes[episode]["length"]
        rate = rows / config.episode_time_s
        is_good &= rate >= LEAST_SHARE * meta.fps
        print(f"episode {episode}: {rows} rows, {rate:.1f} Hz of {meta.fps}")
    notes = meta.root / NOTES_FILE
    print(notes.read_text() if notes.exists() else "no notes")
    print("good" if is_good else "NOT GOOD")
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
