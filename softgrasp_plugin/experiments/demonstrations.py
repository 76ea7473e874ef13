"""A dataset of demonstrations by the virtual operator, made as fast as the computer can.

The robot, the teleoperator and the frames are those of `lerobot-record`; what differs is that nobody waits
for the wall clock, that an episode ends when the operator is done, and that a failed grasp is demonstrated
again, as a person would re-record it.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lerobot.datasets import LeRobotDataset, VideoEncodingManager
from lerobot.utils.constants import ACTION, OBS_STR
from lerobot.utils.feature_utils import build_dataset_frame, hw_to_dataset_features
from torch import Tensor

from ..datasets.frame_cache import cached_frames
from ..grasping.objects import TASK_DESCRIPTION
from ..joints import CAMERA_KEY
from ..robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from ..robots.ur3_dexhand_sim import UR3DexHandSim
from ..simulation.config_simulated_camera import SimulatedCameraConfig
from ..simulation.session import Session, find_session
from ..teleoperators.config_virtual_operator import VirtualOperatorConfig
from ..teleoperators.virtual_operator import VirtualOperator
from .plan import DemonstrationConfig

_MOST_ATTEMPTS = 10


def demonstrate(config: DemonstrationConfig, repo_id: str, root: Path) -> Iterator[int]:
    """Record every demonstration into a new dataset, yielding the number of episodes saved so far.

    A dataset that is complete is left as it is; one that was interrupted is made anew, because a scene
    depends on how often its episode was attempted.

    Args:
        config: what to demonstrate.
        repo_id: name of the dataset.
        root: its folder.

    Raises:
        RuntimeError: if the operator fails a scene again and again.
    """
    unfinished = root.with_name(root.name + ".unfinished")
    if root.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    with _rig(config) as (robot, operator, session):
        features = hw_to_dataset_features(robot.action_features, ACTION, use_video=True)
        features |= hw_to_dataset_features(robot.observation_features, OBS_STR, use_video=True)
        dataset = LeRobotDataset.create(
            repo_id,
            config.fps,
            root=unfinished,
            robot_type=robot.name,
            features=features,
            streaming_encoding=True,
        )
        with VideoEncodingManager(dataset):
            for episode in range(config.num_episodes):
                for _attempt in range(_MOST_ATTEMPTS):
                    session.begin_episode(episode)
                    if _demonstrate_one(robot, operator, session, dataset):
                        break
                    dataset.clear_episode_buffer()
                else:
                    raise RuntimeError(
                        f"The operator failed episode {episode} ({config.objects}) {_MOST_ATTEMPTS} times "
                        "in a row: the task is too hard with this variation and action noise."
                    )
                dataset.save_episode()
                yield episode + 1
        dataset.finalize()
    unfinished.rename(root)


def decoded_frames(dataset: LeRobotDataset, key: str) -> Tensor:
    """All frames of a camera, (N, 3, H, W) uint8, mapped from a file that all pieces of work share."""
    return cached_frames(dataset, key, folder=frames_folder(Path(dataset.root)))


def frames_folder(root: Path) -> Path:
    """Where the decoded frames of a dataset are: beside its folder."""
    return root.with_name(f"{root.name}.frames")


@contextmanager
def _rig(config: DemonstrationConfig) -> Iterator[tuple[UR3DexHandSim, VirtualOperator, Session]]:
    camera = SimulatedCameraConfig(fps=config.fps, width=config.width, height=config.height)
    options = UR3DexHandSimConfig(
        objects=list(config.objects),
        seed=config.seed,
        fps=config.fps,
        cameras={CAMERA_KEY: camera},
        action_noise=config.action_noise,
        **config.world.as_options,
    )
    robot = UR3DexHandSim(options)
    operator = VirtualOperator(VirtualOperatorConfig(sight_error_m=config.sight_error_m))
    operator.connect()
    robot.connect()
    try:
        yield robot, operator, find_session(robot.config.rig)
    finally:
        robot.disconnect()
        operator.disconnect()


def _demonstrate_one(
    robot: UR3DexHandSim, operator: VirtualOperator, session: Session, dataset: LeRobotDataset
) -> bool:
    """One episode, in the order of `lerobot-record`'s loop.

    Returns:
        Whether the grasp succeeded.
    """
    while True:
        observation = robot.get_observation()
        frame = build_dataset_frame(dataset.features, observation, prefix=OBS_STR)
        action = operator.get_action()
        if operator.is_done:
            return session.world.outcome().is_success
        robot.send_action(action)
        frame |= build_dataset_frame(dataset.features, action, prefix=ACTION)
        dataset.add_frame({**frame, "task": TASK_DESCRIPTION})
