"""The MuJoCo model of the whole rig: arm, hand, table, one object, camera and light.

Geoms are grouped by what they are for, which the camera relies on: 0 never moves, 1 arm, 2 hand (seen and
touched), 3 the object as it is touched (not seen), 4 the object as it is seen (not touched).
"""

import math

import numpy as np

from ..joints import FloatArray
from . import arm, hand
from .engine import mujoco
from .objects import SidePose, SimObject
from .variation import ObjectState

STATIC_GROUP, ARM_GROUP, HAND_GROUP, COLLISION_GROUP, OBJECT_GROUP = range(5)

TIMESTEPS_PER_SECOND = 480
"""16 steps per control tick at 30 Hz; 2 ms would not divide it."""

ARM_BASE: FloatArray = np.array([-0.34, 0.05, 0.0])
LIFT_HEIGHT_M = 0.100
_LIFT_POINTS = 31

TOP_DOWN_ROTATION: FloatArray = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]])
SIDE_ROTATION: FloatArray = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
"""Hand axes (columns) in the world: thumb side towards the camera, fingers down or level."""

_TOP_DOWN_START: FloatArray = np.array([0.3, -1.4, -1.6, -1.7, 1.57, 0.0])
_SIDE_START: FloatArray = np.array([2.60, -1.10, 2.26, -1.16, 1.03, 1.57])
"""Solver starts that lead to the elbow-up branch."""

_SIDE_OBJECT_X = 0.09
"""Objects grasped from the side stand farther out; nearer to the base the elbow folds up."""

SKY_RGB = ((0.80, 0.85, 0.91), (0.58, 0.64, 0.71))
"""Backdrop, top and bottom."""

LIGHT_POSITION: FloatArray = np.array([0.45, -0.65, 1.30])
CAMERA_NAME = "side"

_FOOT_HEIGHT_M = 0.010
_FOOT_MASS_SHARE = 0.15


def object_place(sim: SimObject) -> FloatArray:
    """Nominal footprint of the object on the table, shape (2,), metres in the world."""
    return np.array([_SIDE_OBJECT_X if isinstance(sim.hand_pose, SidePose) else 0.0, 0.0])


def grasp_pose(sim: SimObject) -> arm.ToolPose:
    """Flange pose before the grasp, in the arm's base frame."""
    is_side = isinstance(sim.hand_pose, SidePose)
    foot = np.append(object_place(sim), 0.0)
    position = foot + sim.hand_pose.hand_position(float(sim.size_m[2])) - ARM_BASE
    return arm.ToolPose(position, SIDE_ROTATION if is_side else TOP_DOWN_ROTATION)


def arm_lift_path(sim: SimObject) -> FloatArray:
    """Arm joints (31, 6) from the grasp pose straight up to 100 mm above it."""
    start = _SIDE_START if isinstance(sim.hand_pose, SidePose) else _TOP_DOWN_START
    return arm.lift_path(grasp_pose(sim), start, LIFT_HEIGHT_M, _LIFT_POINTS)


def build_model(sim: SimObject, state: ObjectState) -> "mujoco.MjModel":
    """Compile the rig with this object."""
    return mujoco.MjModel.from_xml_string(_scene_xml(sim, state))


def move_camera(
    model: "mujoco.MjModel", data: "mujoco.MjData", shift: FloatArray, rotation: FloatArray
) -> None:
    """Move the camera from where `data` has it, and let it look at its target no longer.

    Args:
        model: compiled rig, changed.
        data: its state after a forward pass, of which the camera's pose is changed.
        shift: along the world's axes (3,), metres.
        rotation: matrix (3, 3) in the camera's own frame.
    """
    camera = model.camera(CAMERA_NAME).id
    model.cam_mode[camera] = mujoco.mjtCamLight.mjCAMLIGHT_FIXED
    model.cam_pos[camera] += shift
    turned = data.cam_xmat[camera].reshape(3, 3) @ rotation
    mujoco.mju_mat2Quat(model.cam_quat[camera], turned.ravel())
    mujoco.mj_camlight(model, data)


def _scene_xml(sim: SimObject, state: ObjectState) -> str:
    light = " ".join(map(str, LIGHT_POSITION))
    base = " ".join(map(str, ARM_BASE))
    sky_top, sky_bottom = (" ".join(map(str, rgb)) for rgb in SKY_RGB)
    return f"""
<mujoco model="softgrasp">
  <compiler angle="radian" autolimits="true"/>
  <option timestep="{1 / TIMESTEPS_PER_SECOND!r}" integrator="implicitfast" cone="elliptic" impratio="10"
          solver="Newton" iterations="50" noslip_iterations="4" jacobian="dense">
    <flag multiccd="disable"/>
  </option>
  <size memory="30M"/>
  <visual>
    <global offwidth="1280" offheight="960"/><quality shadowsize="1024" offsamples="4"/>
    <map znear="0.02" zfar="20"/>
    <headlight ambient=".36 .36 .36" diffuse=".20 .20 .20" specular="0 0 0"/>
  </visual>
  <statistic center="0 0 0.15" extent="0.8"/>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" rgb1="{sky_top}" rgb2="{sky_bottom}"
             width="64" height="384"/>
  </asset>
  <default>
    <default class="large_arm_joint"><joint damping="2" armature="0.2" range="-6.29 6.29"/></default>
    <default class="small_arm_joint"><joint damping="0.5" armature="0.05" range="-6.29 6.29"/></default>
    <default class="seen">
      <geom contype="0" conaffinity="0" group="{ARM_GROUP}" mass="0"/>
      <default class="tube"><geom rgba=".80 .81 .83 1"/></default>
      <default class="housing"><geom rgba=".70 .72 .75 1"/></default>
      <default class="joint_cap"><geom rgba=".42 .64 .82 1"/></default>
      <default class="shell"><geom group="{HAND_GROUP}" rgba=".20 .21 .23 1"/></default>
      <default class="accent"><geom group="{HAND_GROUP}" rgba=".58 .60 .63 1"/></default>
      <default class="furniture"><geom group="{STATIC_GROUP}" rgba=".30 .31 .34 1"/></default>
    </default>
    <default class="skin">
      <geom contype="2" conaffinity="1" group="{HAND_GROUP}" rgba=".25 .26 .29 1"
            friction="1.0 .005 .0001" condim="4" solref=".005 1"/>
    </default>
    <default class="digit"><joint damping="0.006" armature="0.001" frictionloss="0.002"/></default>
  </default>
  <worldbody>
    <light name="key" pos="{light}" dir="-0.35 0.45 -1" diffuse=".62 .62 .62" specular=".1 .1 .1"/>
    <camera name="{CAMERA_NAME}" pos="0.33 -0.40 0.27" mode="targetbody" target="camera_target" fovy="42"/>
    <body name="camera_target" pos="0.01 0.02 0.145"/>
    <geom name="table" type="plane" pos="-0.05 0.05 0" size="0.50 0.42 0.1" contype="1" conaffinity="7"
          group="{STATIC_GROUP}" friction="0.8 .005 .0001" condim="4" rgba=".76 .70 .62 1"/>
    <geom name="table_edge" class="furniture" type="box" pos="-0.05 0.05 -0.0165" size="0.50 0.42 0.016"
          rgba=".60 .53 .45 1"/>
    <body name="arm_base" pos="{base}">
      <geom class="furniture" type="cylinder" fromto="0 0 0 0 0 0.012" size="0.075"/>
      <geom class="housing" group="{STATIC_GROUP}" type="cylinder" fromto="0 0 0.012 0 0 0.100" size="0.058"/>
      {arm.arm_xml(hand.hand_xml())}
    </body>
    {_object_xml(sim, state)}
  </worldbody>
  <equality>{hand.linkage_xml()}</equality>
  <actuator>{arm.servo_xml()}{hand.servo_xml()}</actuator>
</mujoco>"""


def _object_xml(sim: SimObject, state: ObjectState) -> str:
    x, y, z = (sim.size_m * state.scale / 2).tolist()
    px, py = (object_place(sim) + state.position).tolist()
    rgba = " ".join(map(str, sim.rgb)) + " 1"
    surface = f'friction="{state.friction} .003 .0001" condim="4"'
    size = f"{y} {z}" if sim.shape == "cylinder" else f"{x} {y} {z}"
    mass, foot = state.mass_kg, ""
    if (
        sim.shape == "ellipsoid"
    ):  # a tall ellipsoid would topple by itself: it gets a flat foot that only the table feels
        mass = state.mass_kg * (1 - _FOOT_MASS_SHARE)
        half_height = _FOOT_HEIGHT_M / 2
        foot = (
            f'<geom name="foot" type="cylinder" size="{0.56 * min(x, y)} {half_height}" '
            f'pos="0 0 {half_height - z}" mass="{state.mass_kg * _FOOT_MASS_SHARE}" rgba="{rgba}" '
            f'contype="4" conaffinity="0" group="{OBJECT_GROUP}" {surface}/>'
        )
    rotation = f"{math.cos(state.yaw / 2)} 0 0 {math.sin(state.yaw / 2)}"
    return f"""
<body name="object" pos="{px} {py} {z + 0.0005}" quat="{rotation}">
  <freejoint name="object"/>
  <geom name="object" type="{sim.shape}" size="{size}" mass="{mass}" group="{COLLISION_GROUP}"
        priority="1" rgba="{rgba}" {surface}/>
  <geom name="object_seen" type="{sim.shape}" size="{size}" mass="0" contype="0" conaffinity="0"
        group="{OBJECT_GROUP}" rgba="{rgba}"/>
  {foot}
</body>"""
