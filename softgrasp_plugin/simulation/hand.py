"""The simulated hand: five fingers, six actuated joints, primitives only.

Hand frame: z out of the wrist along the fingers, y out of the palm, x towards the index finger. The size is
that of an Inspire RH56, with a somewhat longer thumb so that one hand reaches round every object of Table 2
(38 to 110 mm). The distal joint of every digit follows the proximal one, as a tendon or linkage makes it.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..joints import JOINTS, THUMB_BEND, FloatArray

DIGITS: tuple[str, ...] = ("little", "ring", "middle", "index", "thumb")

LEVER_ARM_M = 0.070
"""Distance from joint axis to fingertip pad: joint torque / lever arm = fingertip force."""


@dataclass(frozen=True)
class Linkage:
    """The coupling of a digit's distal joint: `offset + slope * proximal angle`, in radians."""

    offset: float
    slope: float


# Fingers, in the order of JOINTS. Lengths in metres, angles in radians.
FINGER_X = (-0.0290, -0.0097, 0.0097, 0.0290)
FINGER_Z = 0.100
PROXIMAL_LENGTH = (0.032, 0.039, 0.042, 0.039)
DISTAL_LENGTH = (0.034, 0.040, 0.042, 0.040)
PROXIMAL_RADIUS = 0.0080
DISTAL_RADIUS = 0.0075
FINGER_LINKAGE = Linkage(0.12, 1.0)
"""A finger is a little curled at rest, so that its tip and not its shaft touches first."""

# Thumb.
THUMB_BASE = (0.004, 0.022, 0.074)
METACARPAL = (0.070, 0.0, 0.018)
THUMB_PROXIMAL = (0.008, 0.0, 0.045)
THUMB_DISTAL_LENGTH = 0.038
METACARPAL_RADIUS, THUMB_PROXIMAL_RADIUS, THUMB_DISTAL_RADIUS = 0.0095, 0.0085, 0.0080
THUMB_LINKAGE = Linkage(0.45, 0.5)
"""Pre-curled by 0.45 rad: a straight thumb lands on an object's top rim and wedges it down."""

# The swing is counted as in the RH56 manual, 165° open … 90° fully opposed; the model's own angle is 180°
# minus that.
SWING_OPEN_DEG, SWING_CLOSED_DEG = 165.0, 90.0

OPEN_ANGLE: FloatArray = np.array([-0.25, -0.25, -0.25, -0.25, -0.80, math.radians(180.0 - SWING_OPEN_DEG)])
CLOSED_ANGLE: FloatArray = np.array([1.50, 1.50, 1.50, 1.50, 0.90, math.radians(180.0 - SWING_CLOSED_DEG)])
ANGLE_RANGE: FloatArray = CLOSED_ANGLE - OPEN_ANGLE
"""Model joint angles at closure 0 and closure 1, and their difference, shape (6,), radians."""

# Servos. A hand this stiff turns 0.002 of closure into a newton: closure alone does not set the grip, so
# touch matters. A hand three times softer grasps nearly everything by replaying closures.
SERVO_STIFFNESS: FloatArray = np.array([18.0, 18.0, 18.0, 18.0, 36.0, 36.0])
SERVO_DAMPING: FloatArray = np.array([0.21, 0.21, 0.21, 0.21, 0.35, 0.35])
SERVO_TORQUE_LIMIT: FloatArray = np.array([0.8, 0.8, 0.8, 0.8, 2.0, 2.0])
"""Nm/rad, Nms/rad and Nm, shape (6,)."""


def closure_to_angle(closure: FloatArray) -> FloatArray:
    """Model joint angles (6,) in radians of a closure (6,)."""
    return OPEN_ANGLE + closure * ANGLE_RANGE


def angle_to_closure(angle: FloatArray) -> FloatArray:
    """Closure (6,) of model joint angles (6,) in radians."""
    return (angle - OPEN_ANGLE) / ANGLE_RANGE


def swing_closure(swing_deg: float) -> float:
    """Closure of the thumb swing joint at an angle in the RH56's degrees."""
    return (SWING_OPEN_DEG - swing_deg) / (SWING_OPEN_DEG - SWING_CLOSED_DEG)


INITIAL_CLOSURE: FloatArray = np.array([0.04, 0.04, 0.04, 0.04, 0.02, swing_closure(125.0)])
"""The posture in which every trial starts, whatever the object: fingers and thumb open, as far as a glove
with the mapping of Table 1 can ask for, and the thumb swung to 125° (SoftGrasp, section 4.1.4).
"""


def finger_pad_y(closure: FloatArray, finger: int = 2) -> FloatArray:
    """Height of a finger's pad above the palm plane (hand y, metres) at each closure, any shape; `finger`
    0…3.
    """
    angle = OPEN_ANGLE[finger] + closure * ANGLE_RANGE[finger]
    distal = angle + FINGER_LINKAGE.offset + FINGER_LINKAGE.slope * angle
    links = PROXIMAL_LENGTH[finger] * np.sin(angle) + DISTAL_LENGTH[finger] * np.sin(distal)
    return np.asarray(links + DISTAL_RADIUS * np.cos(distal))


def thumb_pad_y(closure: FloatArray) -> FloatArray:
    """Height of the opposed thumb's pad above the palm plane (hand y, metres) at each closure, any shape."""
    angle = OPEN_ANGLE[THUMB_BEND] + closure * ANGLE_RANGE[THUMB_BEND]
    distal = angle + THUMB_LINKAGE.offset + THUMB_LINKAGE.slope * angle
    base = THUMB_BASE[1] + METACARPAL[0]
    proximal = THUMB_PROXIMAL[0] * np.cos(angle) - THUMB_PROXIMAL[2] * np.sin(angle)
    return np.asarray(
        base + proximal - THUMB_DISTAL_LENGTH * np.sin(distal) - THUMB_DISTAL_RADIUS * np.cos(distal)
    )


def fingertip_reach() -> float:
    """Distance from the hand frame to the tip of the straight middle finger, metres."""
    return FINGER_Z + PROXIMAL_LENGTH[2] + DISTAL_LENGTH[2] + DISTAL_RADIUS


def hand_xml() -> str:
    """MJCF of the hand's body; the classes `digit`, `skin`, `shell` are those of `scene.py`."""
    fingers = "".join(_finger_xml(i) for i in range(4))
    return f"""
<body name="hand" gravcomp="1">
  <geom name="wrist" class="shell" type="cylinder" fromto="0 0 0 0 0 0.020" size="0.030" mass="0.08"/>
  <geom name="palm" class="skin" type="box" pos="0 0 0.058" size="0.043 0.0115 0.040" mass="0.30"/>
  <geom name="palm_back" class="shell" type="box" pos="0 -0.009 0.055" size="0.035 0.010 0.033" mass="0.02"/>
  {fingers}{_thumb_xml()}
</body>"""


def _finger_xml(i: int) -> str:
    digit, low, high = DIGITS[i], OPEN_ANGLE[i] - 0.1, CLOSED_ANGLE[i] + 0.1
    return f"""
<body name="{digit}_proximal" pos="{FINGER_X[i]} 0 {FINGER_Z}" gravcomp="1">
  <joint name="{JOINTS[i]}" class="digit" axis="-1 0 0" range="{low} {high}"/>
  <geom name="{digit}_knuckle" class="accent" type="sphere" size="{PROXIMAL_RADIUS + 0.0012}"/>
  <geom name="{digit}_proximal" class="skin" type="capsule" fromto="0 0 0 0 0 {PROXIMAL_LENGTH[i]}"
        size="{PROXIMAL_RADIUS}" mass="0.012"/>
  <body name="{digit}_distal" pos="0 0 {PROXIMAL_LENGTH[i]}" gravcomp="1">
    <joint name="{digit}_distal" class="digit" axis="-1 0 0" range="-0.3 1.8"/>
    <geom name="{digit}_hinge" class="accent" type="sphere" size="{DISTAL_RADIUS + 0.0012}"/>
    <geom name="{digit}_distal" class="skin" type="capsule" fromto="0 0 0 0 0 {DISTAL_LENGTH[i]}"
          size="{DISTAL_RADIUS}" mass="0.010"/>
  </body>
</body>"""


def _thumb_xml() -> str:
    base, meta, proximal = (" ".join(map(str, v)) for v in (THUMB_BASE, METACARPAL, THUMB_PROXIMAL))
    bend_low, bend_high = OPEN_ANGLE[THUMB_BEND] - 0.1, CLOSED_ANGLE[THUMB_BEND] + 0.1
    return f"""
<body name="thumb_metacarpal" pos="{base}" gravcomp="1">
  <joint name="thumb_swing" class="digit" axis="0 0 1" range="0 1.75"/>
  <geom name="thumb_metacarpal" class="skin" type="capsule" fromto="0 0 0 {meta}"
        size="{METACARPAL_RADIUS}" mass="0.030"/>
  <body name="thumb_proximal" pos="{meta}" gravcomp="1">
    <joint name="thumb_bend" class="digit" axis="0 -1 0" range="{bend_low} {bend_high}"/>
    <geom name="thumb_knuckle" class="accent" type="sphere" size="{METACARPAL_RADIUS + 0.0012}"/>
    <geom name="thumb_proximal" class="skin" type="capsule" fromto="0 0 0 {proximal}"
          size="{THUMB_PROXIMAL_RADIUS}" mass="0.015"/>
    <body name="thumb_distal" pos="{proximal}" gravcomp="1">
      <joint name="thumb_distal" class="digit" axis="0 -1 0" range="-0.6 1.2"/>
      <geom name="thumb_hinge" class="accent" type="sphere" size="{THUMB_PROXIMAL_RADIUS + 0.0012}"/>
      <geom name="thumb_distal" class="skin" type="capsule" fromto="0 0 0 0 0 {THUMB_DISTAL_LENGTH}"
            size="{THUMB_DISTAL_RADIUS}" mass="0.010"/>
    </body>
  </body>
</body>"""


def linkage_xml() -> str:
    """MJCF `<joint>` equalities that couple each distal joint to its proximal one."""
    solver = 'solref="0.006 1" solimp="0.95 0.99 0.001"'
    pairs = [
        (digit, JOINTS[i], THUMB_LINKAGE if i == THUMB_BEND else FINGER_LINKAGE)
        for i, digit in enumerate(DIGITS)
    ]
    return "".join(
        f'<joint joint1="{digit}_distal" joint2="{joint}" polycoef="{link.offset} {link.slope} 0 0 0" '
        f"{solver}/>"
        for digit, joint, link in pairs
    )


def servo_xml() -> str:
    """MJCF position servos of the six actuated joints, named as the joints."""
    return "".join(
        f'<position name="{joint}" joint="{joint}" kp="{kp}" kv="{kv}" forcerange="-{limit} {limit}"/>'
        for joint, kp, kv, limit in zip(
            JOINTS, SERVO_STIFFNESS, SERVO_DAMPING, SERVO_TORQUE_LIMIT, strict=True
        )
    )
