import math

import numpy as np
import pytest

from softgrasp_plugin.simulation import arm, scene
from softgrasp_plugin.simulation.engine import mujoco
from softgrasp_plugin.simulation.objects import SIM_OBJECTS
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.variation import Variation
from softgrasp_plugin.simulation.world import World


def rot_z(angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def rot_x(angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1.0]])


def shift(x, z):
    frame = np.eye(4)
    frame[[0, 2], 3] = x, z
    return frame


def test_link_frames_are_the_product_of_the_elementary_dh_transforms():
    joints = np.array([0.3, -1.2, 0.8, -2.0, 1.1, 0.4])
    expected = np.eye(4)
    for q, d, a, alpha in zip(joints, arm.DH_D, arm.DH_A, arm.DH_ALPHA, strict=True):
        expected = expected @ rot_z(q) @ shift(0, d) @ shift(a, 0) @ rot_x(alpha)
    np.testing.assert_allclose(arm.link_frames(joints)[-1], expected, atol=1e-12)


def test_stretched_arm_reaches_as_far_as_the_data_sheet_says():
    # Stretched out, shoulder to wrist axis: 243.65 mm + 213.25 mm.
    assert np.linalg.norm(arm.link_frames(np.zeros(6))[3][:2, 3]) == pytest.approx(0.4569)


@pytest.mark.parametrize("seed", range(5))
def test_the_models_flange_is_where_forward_kinematics_says(seed):
    world = World(1, 0)
    joints = np.random.default_rng(seed).uniform(-math.pi, math.pi, 6)
    address = [int(world.model.joint(name).qposadr[0]) for name in arm.ARM_JOINTS]
    world.data.qpos[address] = joints
    mujoco.mj_kinematics(world.model, world.data)
    flange = world.data.body("flange")
    pose = arm.forward(joints)
    np.testing.assert_allclose(flange.xpos - scene.ARM_BASE, pose.position, atol=1e-6)
    np.testing.assert_allclose(flange.xmat.reshape(3, 3), pose.rotation, atol=1e-6)


@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_lift_path_goes_straight_up(object_id):
    sim = SIM_OBJECTS[object_id]
    path = scene.arm_lift_path(sim)
    poses = [arm.forward(joints) for joints in path]
    target = scene.grasp_pose(sim)
    heights = np.linspace(0, scene.LIFT_HEIGHT_M, len(path))
    for pose, height in zip(poses, heights, strict=True):
        np.testing.assert_allclose(pose.position, target.position + height * np.eye(3)[2], atol=1e-7)
        np.testing.assert_allclose(pose.rotation, target.rotation, atol=1e-6)
    assert np.abs(np.diff(path, axis=0)).max() < 0.1, "the path jumps to another branch"


@pytest.mark.parametrize("object_id", [1, 11])
def test_the_simulated_arm_lifts_its_hand_100_mm_straight_up(object_id):
    world = World(
        object_id, 0, settings=WorldSettings(variation=Variation(position_m=0.0, yaw_rad=0.0, size=0.0))
    )
    start = world.data.body("hand").xpos.copy()
    for tick in range(1, 31):
        world.command_lift(0.1 * tick / 30)
        world.step()
    for _ in range(15):
        world.step()
    np.testing.assert_allclose(world.data.body("hand").xpos - start, [0, 0, 0.1], atol=1e-3)
    assert world.lift_height_m == pytest.approx(0.1)


def test_an_unreachable_pose_is_refused_by_name():
    far = arm.ToolPose(np.array([2.0, 0.0, 0.0]), np.eye(3))
    with pytest.raises(ValueError, match="cannot reach"):
        arm.inverse(far, np.zeros(6))
