import numpy as np
import pytest

from softgrasp_plugin.grasping.objects import OBJECTS, TASKS
from softgrasp_plugin.simulation.catalogue import (
    ALL_SIM_OBJECTS,
    DIVERSE_TASKS,
    RANDOM_TASKS,
    SIM_OBJECT_BY_TASK,
    expand_tasks,
    sim_object,
)
from softgrasp_plugin.simulation.episode import run_operator_episode
from softgrasp_plugin.simulation.hand import INITIAL_CLOSURE, finger_pad_y, thumb_pad_y
from softgrasp_plugin.simulation.objects import SIM_OBJECTS, SidePose, TopDownPose
from softgrasp_plugin.simulation.random_objects import DIVERSE_OBJECTS, RANDOM_OBJECTS, draw_object, hand_pose
from softgrasp_plugin.simulation.world import World


def test_six_objects_beside_table_2() -> None:
    assert tuple(RANDOM_OBJECTS) == (101, 102, 103, 104, 105, 106)
    assert tuple(f"random_{number:02d}" for number in range(1, 7)) == RANDOM_TASKS
    assert set(SIM_OBJECTS) == set(OBJECTS) == set(range(1, 13))
    assert set(ALL_SIM_OBJECTS) == set(SIM_OBJECTS) | set(RANDOM_OBJECTS) | set(DIVERSE_OBJECTS)
    assert SIM_OBJECT_BY_TASK["random_03"] is sim_object(103)
    assert SIM_OBJECT_BY_TASK["object_03"] is sim_object(3) is SIM_OBJECTS[3]


def test_sixty_more_to_demonstrate_and_none_of_table_2_among_them() -> None:
    assert (
        DIVERSE_TASKS == expand_tasks("diverse") == tuple(f"random_{number:02d}" for number in range(7, 67))
    )
    rows = {(*sim.table_row.size_mm, sim.table_row.mass_g) for sim in ALL_SIM_OBJECTS.values()}
    assert len(rows) == 78
    assert {sim.table_row.hardness for sim in DIVERSE_OBJECTS.values()} == {
        "rigid",
        "soft-plastic",
        "deformable",
    }


def test_a_draw_is_reproducible_and_another_attempt_is_another_object() -> None:
    assert draw_object(2, 1) == draw_object(2, 1) == RANDOM_OBJECTS[103]
    assert draw_object(2, 1).table_row != draw_object(2, 2).table_row


@pytest.mark.parametrize("number", range(6))
def test_every_draw_is_within_table_2(number: int) -> None:
    sizes = np.array([row.size_mm for row in OBJECTS.values()])
    for attempt in range(60):
        sim = draw_object(number, attempt)
        row = sim.table_row
        peers = [peer for peer in OBJECTS.values() if peer.hardness == row.hardness]
        assert row.hardness == ("rigid", "soft-plastic", "deformable")[number % 3]
        assert min(peer.mass_g for peer in peers) <= row.mass_g <= max(peer.mass_g for peer in peers)
        assert row.material in {peer.material for peer in peers}
        assert (sizes.min(axis=0) <= row.size_mm).all()
        assert (row.size_mm <= sizes.max(axis=0)).all()
        slender = row.size_mm[2] >= 2.2 * row.size_mm[1]
        assert (row.grasp == "side") == isinstance(sim.hand_pose, SidePose) == slender
        assert sim.shape != "cylinder" or row.size_mm[0] == row.size_mm[1]


@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_the_hand_stands_to_them_as_to_the_objects_of_table_2(object_id: int) -> None:
    """The rule for the pose, applied to the table's own objects, gives nearly the poses chosen for them."""
    sim = SIM_OBJECTS[object_id]
    from_side = isinstance(sim.hand_pose, SidePose)
    pose = hand_pose(sim.shape, sim.size_m[1], sim.size_m[2], from_side=from_side)
    assert type(pose) is type(sim.hand_pose)
    assert pose.palm_offset_m == pytest.approx(sim.hand_pose.palm_offset_m, abs=0.003)
    match sim.hand_pose, pose:
        case (SidePose() as chosen, SidePose() as derived):
            assert derived.reach_m == pytest.approx(chosen.reach_m, abs=0.002)
            assert derived.height_m == pytest.approx(chosen.height_m, abs=0.005)
        case (TopDownPose() as chosen, TopDownPose() as derived):
            assert derived.tip_depth_m == pytest.approx(chosen.tip_depth_m, abs=0.006)


@pytest.mark.parametrize("object_id", RANDOM_OBJECTS)
def test_nothing_is_touched_at_the_start(object_id: int) -> None:
    sim = RANDOM_OBJECTS[object_id]
    axis, half = sim.hand_pose.palm_offset_m, sim.grasp_width_m / 2
    assert finger_pad_y(INITIAL_CLOSURE[2]) < axis - half
    assert thumb_pad_y(INITIAL_CLOSURE[4]) > axis + half
    world = World(object_id)
    assert world.model.body("object").mass[0] == pytest.approx(sim.table_row.mass_g / 1000)
    for seed in range(4):
        world.reset(seed=seed)
        start = world.data.body("object").xpos[:2].copy()
        for _ in range(8):
            world.step()
        assert world.touch.force_n.sum() == 0, f"seed {seed}"
        assert np.abs(world.data.body("object").xpos[:2] - start).max() < 5e-4, f"seed {seed} moves by itself"


def test_no_two_objects_have_nearly_the_same_colour() -> None:
    colours = np.array([sim.rgb for sim in (*SIM_OBJECTS.values(), *RANDOM_OBJECTS.values())])
    distance = np.linalg.norm(colours[:, None] - colours, axis=-1)[12:]
    assert np.sort(distance, axis=1)[:, 1].min() > 0.15


@pytest.mark.parametrize("object_id", RANDOM_OBJECTS)
def test_a_person_grasps_each(object_id: int) -> None:
    """Beyond the ten episodes in which the draw was accepted."""
    assert sum(run_operator_episode(object_id, seed).outcome.is_success for seed in range(20, 23)) >= 2


def test_groups_stand_for_their_tasks() -> None:
    assert expand_tasks("all") == TASKS
    assert expand_tasks("random") == RANDOM_TASKS
    assert expand_tasks("object_04, random_02,") == ("object_04", "random_02")
    assert expand_tasks("random,object_01") == (*RANDOM_TASKS, "object_01")


@pytest.mark.parametrize("bad", ["object_13", "random_67", "object_01,apple"])
def test_unknown_tasks_are_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown task '{bad.rpartition(',')[2]}'.*object_01.*random_66"):
        expand_tasks(bad)


@pytest.mark.parametrize("object_id", [0, 13, 100, 167])
def test_unknown_numbers_are_refused(object_id: int) -> None:
    with pytest.raises(ValueError, match=r"Table 2, 1…12, or of the random objects, 101…166"):
        sim_object(object_id)
