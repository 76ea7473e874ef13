import numpy as np
import pytest

from softgrasp_plugin.grasping.mapping import PAPER_MAPPING
from softgrasp_plugin.grasping.objects import OBJECTS
from softgrasp_plugin.simulation.hand import INITIAL_CLOSURE, finger_pad_y, swing_closure, thumb_pad_y
from softgrasp_plugin.simulation.objects import SIM_OBJECTS
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.variation import Variation
from softgrasp_plugin.simulation.world import World

NOMINAL = Variation(position_m=0.0, yaw_rad=0.0, size=0.0)


def test_every_object_of_table_2_is_there():
    assert set(SIM_OBJECTS) == set(OBJECTS)


@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_mass_and_size_of_table_2_reach_the_model(object_id):
    world, row = World(object_id, 0, settings=WorldSettings(variation=NOMINAL)), OBJECTS[object_id]
    assert world.model.body("object").mass[0] == pytest.approx(row.mass_g / 1000)
    box = 2 * world.model.geom_aabb[world.model.geom("object").id, 3:]
    expected = np.array(row.size_mm, dtype=float) / 1000
    np.testing.assert_allclose(box, expected, atol=1e-9)


@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_the_open_hand_is_wider_than_the_object_and_within_the_gloves_reach(object_id):
    sim = SIM_OBJECTS[object_id]
    closure = INITIAL_CLOSURE
    axis, half = sim.hand_pose.palm_offset_m, sim.grasp_width_m / 2
    assert finger_pad_y(closure[2]) < axis - half
    assert thumb_pad_y(closure[4]) > axis + half
    np.testing.assert_allclose(PAPER_MAPPING(PAPER_MAPPING.inverse(closure)), closure, atol=2e-3)


def test_swing_degrees_follow_the_rh56():
    assert swing_closure(165) == 0
    assert swing_closure(90) == 1
    assert swing_closure(125) == pytest.approx(0.533, abs=1e-3)


@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_nothing_is_touched_at_the_start(object_id):
    world = World(object_id)
    for seed in range(4):
        world.reset(seed=seed)
        assert world.touch.force_n.sum() == 0
        start = world.data.body("object").xpos[:2].copy()
        for _ in range(8):
            world.step()
        assert world.touch.force_n.sum() == 0, f"seed {seed}"
        assert np.abs(world.data.body("object").xpos[:2] - start).max() < 5e-4, f"seed {seed} moves by itself"
        assert (world.hand_sample().torque == 0).all()


def test_variation_stays_within_its_half_widths_and_hidden_ones_are_off_by_default():
    sim, variation = SIM_OBJECTS[3], Variation()
    states = [variation.draw(sim, seed) for seed in range(200)]
    positions = np.stack([state.position for state in states])
    assert np.abs(positions).max() <= 0.005
    assert np.abs(positions).max() > 0.0045
    assert 0.96 <= min(state.scale for state in states) < 0.965
    assert {round(state.mass_kg, 6) for state in states} == {0.1625}
    assert {state.friction for state in states} == {0.9}
    assert len({state.yaw for state in states}) == 200


def test_hidden_variation_changes_mass_but_not_what_is_seen():
    sim = SIM_OBJECTS[3]
    seen, hidden = Variation().draw(sim, 4), Variation(mass=0.3, stiffness=0.3, friction=0.3).draw(sim, 4)
    assert hidden.mass_kg != seen.mass_kg
    assert hidden.stiffness_n_per_m != seen.stiffness_n_per_m
    np.testing.assert_array_equal(hidden.position, seen.position)
    assert (hidden.yaw, hidden.scale) == (seen.yaw, seen.scale)


@pytest.mark.parametrize("bad", [{"position_m": -0.1}, {"size": 1.0}, {"mass": 2.0}])
def test_impossible_variation_is_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Variation(**bad)
