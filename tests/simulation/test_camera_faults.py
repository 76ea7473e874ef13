from itertools import pairwise

import numpy as np
import pytest

from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.world import World

SIZE = (48, 64)
MOVED = WorldSettings(camera_shift_m=0.02, camera_turn_rad=0.05)


def pictures(world: World, ticks: int) -> list[np.ndarray]:
    """What the camera delivers at the start and after each of some ticks of a closing hand."""
    command = world.initial_closure
    images = [world.render(*SIZE)]
    for _ in range(ticks):
        command = command + 0.02
        world.command_hand(command)
        world.step()
        images.append(world.render(*SIZE))
    return images


def camera_pose(world: World) -> tuple[np.ndarray, np.ndarray]:
    return world.data.cam_xpos[0].copy(), world.data.cam_xmat[0].reshape(3, 3).copy()


def test_a_moved_camera_sees_another_picture_and_the_same_one_for_the_same_seed() -> None:
    steady, moved, again = World(1, 4), World(1, 4, settings=MOVED), World(1, 4, settings=MOVED)
    different = (steady.render(*SIZE) != moved.render(*SIZE)).any(axis=-1)
    assert different.mean() > 0.1
    np.testing.assert_array_equal(moved.render(*SIZE), again.render(*SIZE))
    assert different[24:, -8:].any(), "the table, which is drawn once and kept, has moved too"


def test_the_camera_moves_within_its_half_widths_and_elsewhere_in_every_episode() -> None:
    position, rotation = camera_pose(World(1, 0))
    world = World(1, 0, settings=MOVED)
    shifts, angles = [], []
    for seed in range(40):
        world.reset(seed=seed)
        moved_to, turned_to = camera_pose(world)
        shifts.append(moved_to - position)
        cosine = (np.trace(rotation.T @ turned_to) - 1) / 2
        angles.append(np.arccos(np.clip(cosine, -1, 1)))
    largest = np.abs(shifts).max(axis=0)
    assert (largest > 0.015).all()
    assert (largest <= 0.02).all()
    assert 0.04 < max(angles) <= 0.05 * np.sqrt(3)
    assert len(np.unique(np.round(angles, 9))) == 40


def test_a_shift_alone_keeps_the_direction_and_a_turn_alone_the_place() -> None:
    position, rotation = camera_pose(World(1, 0))
    shifted = camera_pose(World(1, 0, settings=WorldSettings(camera_shift_m=0.05)))
    turned = camera_pose(World(1, 0, settings=WorldSettings(camera_turn_rad=0.1)))
    np.testing.assert_allclose(shifted[1], rotation, atol=1e-9)
    assert np.linalg.norm(shifted[0] - position) > 0.005
    np.testing.assert_allclose(turned[0], position, atol=1e-12)
    assert np.abs(turned[1] - rotation).max() > 0.01


def test_a_moved_camera_stays_where_it_is_during_the_episode() -> None:
    world = World(1, 2, settings=MOVED)
    before = camera_pose(world)
    pictures(world, 5)
    for now, then in zip(camera_pose(world), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_faults_of_the_camera_leave_physics_and_torque_noise_alone() -> None:
    def samples(faults: WorldSettings) -> np.ndarray:
        world = World(6, 1, settings=faults)
        command = world.initial_closure
        rows = []
        for _ in range(60):
            command = np.minimum(command + 0.012, 0.9)
            world.command_hand(command)
            world.step()
            rows.append(np.r_[world.hand_sample().closure, world.hand_sample().torque])
        return np.array(rows)

    calm = samples(WorldSettings())
    assert calm[:, 6:].max() > 0.5, "the hand touches, so there is noise to disturb"
    np.testing.assert_array_equal(
        samples(WorldSettings(camera_shift_m=0.05, camera_turn_rad=0.1, dropped_frame_rate=0.5)), calm
    )


def test_a_lost_picture_is_the_one_before_again() -> None:
    always = pictures(World(1, 3), 12)
    assert all((a != b).any() for a, b in pairwise(always)), "every tick looks different"

    dropping = WorldSettings(dropped_frame_rate=0.5)
    delivered = pictures(World(1, 3, settings=dropping), 12)
    np.testing.assert_array_equal(delivered[0], always[0])
    lost = [bool((a == b).all()) for a, b in pairwise(delivered)]
    assert 2 <= sum(lost) <= 10
    for tick, is_lost in enumerate(lost, start=1):
        if not is_lost:
            np.testing.assert_array_equal(delivered[tick], always[tick])
    for first, again in zip(delivered, pictures(World(1, 3, settings=dropping), 12), strict=True):
        np.testing.assert_array_equal(first, again)


def test_a_dead_camera_shows_the_first_picture_and_the_next_episode_starts_anew() -> None:
    world = World(1, 3, settings=WorldSettings(dropped_frame_rate=1.0))
    images = pictures(world, 3)
    assert all((image == images[0]).all() for image in images)
    world.reset(seed=4)
    assert (world.render(*SIZE) != images[0]).any()


@pytest.mark.parametrize(
    "bad",
    [
        {"camera_shift_m": -0.01},
        {"camera_shift_m": 0.2},
        {"camera_turn_rad": 1.0},
        {"dropped_frame_rate": 1.5},
        {"dropped_frame_rate": float("nan")},
    ],
)
def test_faults_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        WorldSettings(**bad)
