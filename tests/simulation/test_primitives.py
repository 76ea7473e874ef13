"""MuJoCo's own ray caster, in double precision and one geom at a time, is what primitives are held to."""

import numpy as np
import pytest

from softgrasp_plugin.simulation.engine import mujoco
from softgrasp_plugin.simulation.solids import OUTLINE_DIRECTIONS, Solids, View

GEOMS = {
    "plane": "0.05 0.03 0.1",
    "sphere": "0.0085",
    "capsule": "0.008 0.02",
    "cylinder": "0.04 0.012",
    "box": "0.043 0.0115 0.04",
    "ellipsoid": "0.05 0.03 0.02",
}
DISTANCE_M = 1.5
"""From the light to the table: the hardest case for single precision."""


def one_geom(kind, quaternion=(1.0, 0.0, 0.0, 0.0), position=(0.0, 0.0, 0.0)):
    pose = f'pos="{" ".join(map(str, position))}" quat="{" ".join(map(str, quaternion))}"'
    xml = f'<mujoco><worldbody><geom type="{kind}" size="{GEOMS[kind]}" {pose}/></worldbody></mujoco>'
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data, Solids.read(model, data, np.array([0]))


def rays_at(target, origin, rng, count, spread_m=0.06):
    """Rays (3, count) from the origin to around the target."""
    return (target - origin)[:, None] + rng.normal(0, spread_m / 2, (3, count))


def mujoco_distances(model, data, origin, rays):
    """Distances (N,), infinite where a ray misses."""
    found = [mujoco.mj_ray(model, data, origin, ray, None, True, -1, None) for ray in rays.T]
    return np.where(np.array(found) < 0, np.inf, found)


def cast(solids, origin, rays):
    index = np.zeros(1, np.intp)
    near = solids.nearness(index, origin, rays.astype(np.float32)[None], index)[0]
    return np.where(near > 0, 1 / np.where(near > 0, near, 1), np.inf)


def look_at(target, origin):
    forward = (target - origin) / np.linalg.norm(target - origin)
    right = np.cross(forward, [0.3, 0.5, 0.8])
    right /= np.linalg.norm(right)
    return View(origin, np.stack([right, np.cross(right, forward), forward]))


def random_case(kind, seed):
    rng = np.random.default_rng(seed)
    quaternion = rng.normal(size=4)
    position = rng.uniform(-0.2, 0.2, 3)
    model, data, solids = one_geom(kind, quaternion / np.linalg.norm(quaternion), position)
    away = rng.normal(size=3)
    if kind == "plane":  # seen from above, as a table is
        away = solids.rotation[0] @ np.abs(away)
    origin = solids.position[0] + DISTANCE_M * away / np.linalg.norm(away)
    return model, data, solids, origin, rays_at(solids.position[0], origin, rng, 300)


@pytest.mark.parametrize("kind", GEOMS)
@pytest.mark.parametrize("seed", range(6))
def test_rays_enter_where_mujoco_says(kind, seed):
    model, data, solids, origin, rays = random_case(kind, seed)
    expected = mujoco_distances(model, data, origin, rays)
    found = cast(solids, origin, rays)
    both = np.isfinite(expected) & np.isfinite(found)
    assert (np.isfinite(expected) != np.isfinite(found)).sum() <= 1, "a ray that grazes the silhouette"
    assert both.any()
    error = np.abs(found[both] - expected[both]) * np.linalg.norm(rays[:, both], axis=0)
    assert np.quantile(error, 0.98) < 1e-5
    assert error.max() < 1e-3, "where a ray grazes"


@pytest.mark.parametrize("kind", GEOMS)
@pytest.mark.parametrize("seed", range(6))
def test_normals_are_mujocos(kind, seed):
    model, data, solids, origin, rays = random_case(kind, seed)
    for ray in rays.T[:40]:
        normal = np.zeros(3)
        distance = mujoco.mj_ray(model, data, origin, ray, None, True, -1, None, normal)
        if distance < 0:
            continue
        point = (origin + distance * ray).astype(np.float32)[:, None]
        found = solids.normals(np.zeros(1, np.intp), point)[:, 0]
        assert found @ normal > 0.999 or _is_on_an_edge(solids, point[:, 0])


def _is_on_an_edge(solids, point):
    """Within a tenth of a millimetre of where two faces meet."""
    local = np.abs(solids.rotation[0].T @ (point - solids.position[0]))
    radial = np.hypot(local[0], local[1])
    size = solids.half_sizes[0] + solids.radii[0]
    gaps = [size[2] - local[2], size[0] - radial] if solids.radii[0, 0] > 0 else list(size - local)
    return sorted(np.abs(gaps))[1] < 1e-4


@pytest.mark.parametrize("kind", GEOMS)
@pytest.mark.parametrize("seed", range(6))
def test_outlines_hold_every_hit_and_hug_it(kind, seed):
    _, _, solids, origin, _ = random_case(kind, seed)
    view = look_at(solids.position[0], origin)
    low, high = (bound[0] for bound in solids.outlines(view))
    grid = np.linspace(-0.05, 0.05, 100)
    x, y = (axis.ravel() for axis in np.meshgrid(grid, grid))
    rays = view.basis.T @ np.stack([x, y, np.ones_like(x)])
    hit = np.isfinite(cast(solids, origin, rays))
    along = OUTLINE_DIRECTIONS @ np.stack([x, y])[:, hit]
    step = 2 * (grid[1] - grid[0])
    assert (along.min(1) >= low - 1e-5).all()
    assert (along.max(1) <= high + 1e-5).all()
    if kind != "plane":  # edge-on, a plane may slip between the rays
        assert (along.min(1) <= low + step).all()
        assert (along.max(1) >= high - step).all()


@pytest.mark.parametrize("kind", GEOMS)
def test_what_is_behind_or_around_the_origin_has_no_bounds_and_is_not_met_in_front(kind):
    _, _, solids = one_geom(kind)
    behind = View(np.array([0.0, 0.0, 0.5]), np.eye(3))
    low, high = solids.outlines(behind)
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()
    rays = np.random.default_rng(0).normal(0, 0.02, (3, 50)) + np.array([[0.0], [0.0], [1.0]])
    assert np.isinf(cast(solids, behind.origin, rays)).all()


def test_sizes_are_read_afresh():
    model, data, before = one_geom("ellipsoid")
    model.geom_size[0] *= 1.2
    after = Solids.read(model, data, np.array([0]))
    np.testing.assert_allclose(after.radii, 1.2 * before.radii)


@pytest.mark.parametrize(
    ("geom", "message"),
    [('type="plane" size="0 0 1"', "endless"), ('type="hfield" hfield="h"', "not mjGEOM_HFIELD")],
)
def test_geoms_that_cannot_be_drawn_are_refused(geom, message):
    asset = '<asset><hfield name="h" nrow="2" ncol="2" size="1 1 1 1"/></asset>'
    xml = f"<mujoco>{asset}<worldbody><geom {geom}/></worldbody></mujoco>"
    model = mujoco.MjModel.from_xml_string(xml)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with pytest.raises(ValueError, match=message):
        Solids.read(model, data, np.array([0]))
