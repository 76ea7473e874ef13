import os

import numpy as np
import pytest

from softgrasp_plugin.simulation.squash import Squash
from softgrasp_plugin.simulation.world import World

RED_OBJECT = 5


def red(image):
    """Pixels of the red object, shape (height, width)."""
    r, g, b = np.moveaxis(image.astype(int), -1, 0)
    return (r > 2 * g) & (r > 2 * b) & (r > 60)


@pytest.fixture(scope="module")
def world():
    return World(RED_OBJECT, 0)


@pytest.mark.parametrize(("height", "width"), [(120, 160), (240, 320), (480, 640)])
def test_pictures_have_the_size_asked_for_and_show_the_object(world, height, width):
    image = world.render(height, width)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert 0.01 < red(image).mean() < 0.2


def test_sizes_show_the_same_scene(world):
    small, large = red(world.render(120, 160)), red(world.render(480, 640))
    assert (small == large[2::4, 2::4]).mean() > 0.99


def test_the_same_state_gives_the_same_picture_and_the_picture_stays(world):
    first = world.render(120, 160)
    kept = first.copy()
    np.testing.assert_array_equal(first, world.render(120, 160))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(first, World(RED_OBJECT, 0).render(120, 160))


def test_a_moving_hand_changes_the_picture_and_nothing_far_from_it():
    world = World(RED_OBJECT, 0)
    before = world.render(120, 160)
    world.command_hand(world.initial_closure - [0, 0, 0, 0, 0.1, 0])
    for _ in range(5):
        world.step()
    difference = np.abs(before.astype(int) - world.render(120, 160))
    changed = (difference > 20).any(axis=-1)  # the arm sways by a hair
    assert 10 < changed.sum() < 0.1 * changed.size
    assert not changed[:20, :].any(), "the arm stands still"


def test_a_lifted_hand_leaves_the_object_on_the_table():
    world = World(RED_OBJECT, 0)
    before = red(world.render(120, 160))
    for tick in range(30):
        world.command_lift(0.1 * (tick + 1) / 30)
        world.step()
    after = red(world.render(120, 160))
    assert after.sum() > before.sum(), "fingers no longer cover the object"
    assert np.flatnonzero(after.any(axis=1)).max() == pytest.approx(
        np.flatnonzero(before.any(axis=1)).max(), abs=1
    )


def test_a_squeezed_object_is_drawn_narrower_and_springs_back():
    world = World(RED_OBJECT, 0)
    geom = world.model.geom("object_seen").id
    squash = Squash(world.model)
    round_size = world.model.geom_size[geom].copy()
    squash.draw(np.array([0.0, 0.006, 0.0]))
    squeezed = world.model.geom_size[geom].copy()
    assert squeezed[1] == pytest.approx(round_size[1] - 0.006)
    assert squeezed[0] > round_size[0]
    squash.draw(np.zeros(3))
    np.testing.assert_array_equal(world.model.geom_size[geom], round_size)


def test_pictures_too_small_to_see_anything_are_refused(world):
    with pytest.raises(ValueError, match="pixels"):
        world.render(8, 160)


@pytest.mark.skipif(os.environ.get("MUJOCO_GL") != "disable", reason="an OpenGL backend is loaded")
def test_gl_without_a_backend_says_what_to_do():
    with pytest.raises(RuntimeError, match="MUJOCO_GL=egl"):
        World(1, 0, renderer="gl").render(120, 160)
