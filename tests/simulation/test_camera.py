"""The ray camera against MuJoCo's own ray caster."""

import numpy as np
import pytest

from softgrasp_plugin.simulation import scene
from softgrasp_plugin.simulation.camera import check_renderer
from softgrasp_plugin.simulation.engine import mujoco
from softgrasp_plugin.simulation.ray_camera import RayCamera
from softgrasp_plugin.simulation.raycast import Packets
from softgrasp_plugin.simulation.renderer import make_camera
from softgrasp_plugin.simulation.solids import Solids, View
from softgrasp_plugin.simulation.world import World

HEIGHT, WIDTH = 96, 128
DRAWN = (scene.STATIC_GROUP, scene.ARM_GROUP, scene.HAND_GROUP, scene.OBJECT_GROUP)


@pytest.fixture(params=[(1, 0, 0.0), (2, 3, 0.05), (5, 1, 0.1), (6, 2, 0.0), (8, 4, 0.02), (12, 5, 0.1)])
def lifting(request):
    """A world in the middle of closing the hand and lifting the arm: object, seed, height."""
    object_id, seed, height_m = request.param
    world = World(object_id, seed)
    world.command_hand(np.clip(world.initial_closure + 0.15, 0, 1))
    for tick in range(6):
        world.command_lift(height_m * (tick + 1) / 6)
        world.step()
    return world


def mujoco_cast(model, data, origin, rays):
    """Geom (N,) or -1 and distance (N,) in ray lengths that each ray (N, 3) from `origin` meets first."""
    mask = np.zeros(mujoco.mjNGROUP, np.uint8)
    mask[list(DRAWN)] = 1
    count = len(rays)
    geom, distance = np.full(count, -1, np.int32), np.zeros(count)
    mujoco.mj_multiRay(model, data, origin, rays.ravel(), mask, True, -1, geom, distance, None, count, 1e3)
    return geom, distance


def camera_view(model, data):
    camera = model.camera(scene.CAMERA_NAME).id
    right, up, back = data.cam_xmat[camera].reshape(3, 3).T
    return View(data.cam_xpos[camera].copy(), np.stack([right, up, -back])), model.cam_fovy[camera]


def pixel_rays(view, fovy):
    """Rays (HEIGHT · WIDTH, 3) of a pinhole, and the pixels' columns and rows."""
    row, column = np.divmod(np.arange(HEIGHT * WIDTH), WIDTH)
    focal = 0.5 * HEIGHT / np.tan(np.deg2rad(fovy) / 2)
    x, y = (column + 0.5 - WIDTH / 2) / focal, (HEIGHT / 2 - row - 0.5) / focal
    return np.stack([x, y, np.ones_like(x)], axis=1) @ view.basis, np.stack([column, row])


def drawn_solids(world):
    return Solids.read(world.model, world.data, np.flatnonzero(np.isin(world.model.geom_group, DRAWN)))


def test_every_pixel_sees_the_geom_that_mujoco_sees(lifting):
    view, fovy = camera_view(lifting.model, lifting.data)
    rays, cell = pixel_rays(view, fovy)
    expected, expected_distance = mujoco_cast(lifting.model, lifting.data, view.origin, rays)

    solids = drawn_solids(lifting)
    packets = Packets.make(view, np.arange(len(rays)), rays.T.astype(np.float32), cell)
    ray, index, near = packets.first_hits(solids)
    geom, distance = np.full(len(rays), -1), np.full(len(rays), -1.0)
    geom[ray], distance[ray] = solids.geom[index], near

    assert len(np.unique(geom)) > 15
    assert (geom == expected).mean() > 0.995
    same = (geom == expected) & (geom >= 0)
    np.testing.assert_allclose(distance[same], expected_distance[same], atol=1e-4)


def test_shadows_fall_where_mujoco_lets_them_fall(lifting):
    view, fovy = camera_view(lifting.model, lifting.data)
    rays, cell = pixel_rays(view, fovy)
    geom, distance = mujoco_cast(lifting.model, lifting.data, view.origin, rays)
    on_table = geom == lifting.model.geom("table").id
    points = view.origin + distance[on_table, None] * rays[on_table] + np.array([0.0, 0.0, 2e-3])
    to_points = points - scene.LIGHT_POSITION
    blocker, share = mujoco_cast(lifting.model, lifting.data, scene.LIGHT_POSITION, to_points)
    expected = (blocker >= 0) & (share < 0.999)

    down = View(scene.LIGHT_POSITION, np.diag([1.0, -1.0, -1.0]))
    places = np.arange(len(points))
    packets = Packets.make(down, places, to_points.T.astype(np.float32), cell[:, on_table])
    dark = np.zeros(len(points), bool)
    dark[packets.blocked(drawn_solids(lifting), 0.999)] = True
    assert expected.mean() > 0.01
    assert (dark == expected).mean() > 0.995

    image = RayCamera(lifting.model, HEIGHT, WIDTH).render(lifting.data).reshape(-1, 3)[on_table]
    brightness = image.mean(axis=1)
    assert ((brightness < 120) == expected).mean() > 0.995


def test_a_picture_does_not_depend_on_the_pictures_before_it(lifting):
    camera = RayCamera(lifting.model, HEIGHT, WIDTH)
    first = camera.render(lifting.data)
    moved = mujoco.MjData(lifting.model)
    moved.qpos[:] = lifting.data.qpos
    moved.qpos[:6] += 0.2
    mujoco.mj_forward(lifting.model, moved)
    other = camera.render(moved)
    assert (first != other).any()
    np.testing.assert_array_equal(camera.render(lifting.data), first)
    np.testing.assert_array_equal(RayCamera(lifting.model, HEIGHT, WIDTH).render(moved), other)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (67, 91), (120, 160)])
def test_a_pixel_has_the_same_colour_at_every_size(height, width):
    world = World(5, 0)
    small = RayCamera(world.model, height, width).render(world.data)
    large = RayCamera(world.model, 3 * height, 3 * width).render(world.data)[1::3, 1::3]
    assert small.shape == (height, width, 3)
    differs = np.abs(small.astype(int) - large).max(axis=-1) > 1
    assert differs.sum() <= max(2, 0.003 * differs.size)


def test_a_squeezed_object_is_drawn_at_its_present_size():
    world = World(5, 0)
    camera = RayCamera(world.model, HEIGHT, WIDTH)
    before = camera.render(world.data)
    world.model.geom_size[world.model.geom("object_seen").id, 0] *= 0.7
    assert 20 < (camera.render(world.data) != before).any(axis=-1).sum() < 0.1 * HEIGHT * WIDTH


LONE_BALL = """
<mujoco><worldbody>
  <camera name="side" pos="0 -0.5 0.3" xyaxes="1 0 0 0 0 1"/>
  <geom type="plane" size="1 1 0.1" group="0" rgba=".7 .7 .7 1"/>
  <body pos="{position}"><freejoint/><geom type="sphere" size="0.1" group="4" rgba="1 0 0 1"/></body>
</worldbody></mujoco>"""


def draw_lone_ball(position):
    model = mujoco.MjModel.from_xml_string(LONE_BALL.format(position=position))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return RayCamera(model, 64, 64).render(data).astype(int)


def test_a_lone_ball_is_lit_without_spots_and_throws_one_shadow():
    image = draw_lone_ball("0 0 0.3")
    ball = (image[..., 0] > 1.5 * image[..., 1]) & (image[..., 0] > 1.5 * image[..., 2])
    assert image[32, 32, 0] > image[32, 32, 1]
    rows, columns = np.nonzero(ball)
    assert abs(rows.mean() - 31.5) < 1
    assert abs(columns.mean() - 31.5) < 1
    lit = image[..., 0][20:32, 34:42]  # the side that faces the light
    assert np.abs(np.diff(lit, axis=0)).max() < 30, "a lit convex surface never shades itself"


def test_what_is_behind_the_camera_is_not_drawn():
    empty = draw_lone_ball("0 -3 0.3")
    np.testing.assert_array_equal(empty, draw_lone_ball("5 -3 0.3"))
    assert (empty[..., 0] <= 1.5 * empty[..., 1]).all()


def test_pictures_too_small_and_unknown_renderers_are_refused():
    model = World(1, 0).model
    with pytest.raises(ValueError, match=r"height must be a number in \[16, 4096\] pixels, got 8"):
        make_camera("ray", model, 8, 100)
    with pytest.raises(ValueError, match=r"one of ray, gl; got 'vulkan'"):
        check_renderer("vulkan")
