"""What the simulation adds to each object of Table 2: shape, contact physics, how the hand stands to it, and
how it looks.

Masses and sizes come from `grasping.objects`. The paper gives hardness and modulus of the material, but the
stiffness of a fingertip pressing a thin-walled cup depends on the wall, so contact stiffness, friction and
crush limit are calibrated per material class: deformable objects give a millimetre per 0.6–0.8 N and must not
lose 9 % of their width; thin plastic and paper give a third of a millimetre per newton and buckle at 5–8 %;
steel and glass neither give nor break, but are smooth and heavy.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..grasping.objects import OBJECTS, GraspObject
from ..joints import FloatArray
from .hand import fingertip_reach

Shape = Literal["box", "cylinder", "ellipsoid"]


@dataclass(frozen=True)
class Surface:
    """Contact of a material with a fingertip.

    Attributes:
        stiffness_n_per_m: force per metre of indentation, per contact.
        friction: sliding friction coefficient.
        crush_fraction: indentation from both sides, as a fraction of the grasp width, beyond which the object
            is crushed; None: never.
    """

    stiffness_n_per_m: float
    friction: float
    crush_fraction: float | None


SURFACES: dict[str, Surface] = {
    "MDPE": Surface(3000.0, 0.40, 0.05),
    "TPE": Surface(800.0, 0.90, 0.09),
    "polyester": Surface(600.0, 0.80, 0.09),
    "paperboard": Surface(4000.0, 0.45, 0.08),
    "PC": Surface(5000.0, 0.35, 0.06),
    "stainless steel": Surface(50_000.0, 0.25, None),
    "glass": Surface(50_000.0, 0.25, None),
}


def find_surface(material: str) -> Surface:
    """Contact of that material.

    Raises:
        ValueError: there is none.
    """
    if material not in SURFACES:
        raise ValueError(f"surface must be one of {', '.join(SURFACES)}; got {material!r}.")
    return SURFACES[material]


@dataclass(frozen=True)
class TopDownPose:
    """The hand above the object, fingers down: palm plane this far from the object's axis, straight
    fingertips this far below its top.
    """

    palm_offset_m: float
    tip_depth_m: float

    def hand_position(self, height_m: float) -> FloatArray:
        """Hand frame relative to the object's footprint, shape (3,), metres, for an object this tall."""
        return np.array([0.0, self.palm_offset_m, height_m - self.tip_depth_m + fingertip_reach()])


@dataclass(frozen=True)
class SidePose:
    """The hand beside the object, fingers level: object axis `reach_m` along the fingers, hand frame
    `height_m` above the table.
    """

    palm_offset_m: float
    reach_m: float
    height_m: float

    def hand_position(self, height_m: float) -> FloatArray:
        """Hand frame relative to the object's footprint, shape (3,), metres."""
        return np.array([-self.reach_m, self.palm_offset_m, self.height_m])


HandPose = TopDownPose | SidePose


@dataclass(frozen=True)
class SimObject:
    """Simulation properties of one object.

    Attributes:
        table_row: mass, size and material: its row of Table 2, or what was drawn in its place.
        shape: primitive that fills the row's bounding box.
        hand_pose: where the hand waits, relative to the object.
        rgb: colour, 0…1.
    """

    table_row: GraspObject
    shape: Shape
    hand_pose: HandPose
    rgb: tuple[float, float, float]

    @property
    def object_id(self) -> int:
        return self.table_row.object_id

    @property
    def surface(self) -> Surface:
        return SURFACES[self.table_row.material]

    @property
    def size_m(self) -> FloatArray:
        """Bounding box (3,) in metres: across the fingers, between thumb and fingers, upright."""
        return np.array(self.table_row.size_mm) / 1000.0

    @property
    def grasp_width_m(self) -> float:
        return float(self.size_m[1])


SIM_OBJECTS: dict[int, SimObject] = {
    sim.object_id: sim
    for sim in (
        SimObject(OBJECTS[1], "cylinder", TopDownPose(0.055, 0.054), (0.93, 0.92, 0.86)),
        SimObject(OBJECTS[2], "box", TopDownPose(0.052, 0.057), (0.28, 0.62, 0.38)),
        SimObject(OBJECTS[3], "ellipsoid", TopDownPose(0.055, 0.068), (0.96, 0.76, 0.20)),
        SimObject(OBJECTS[4], "ellipsoid", TopDownPose(0.056, 0.080), (0.92, 0.47, 0.18)),
        SimObject(OBJECTS[5], "ellipsoid", TopDownPose(0.054, 0.082), (0.85, 0.24, 0.24)),
        SimObject(OBJECTS[6], "cylinder", SidePose(0.0485, 0.130, 0.080), (0.66, 0.69, 0.73)),
        SimObject(OBJECTS[7], "cylinder", TopDownPose(0.054, 0.062), (0.28, 0.50, 0.86)),
        SimObject(OBJECTS[8], "box", TopDownPose(0.050, 0.066), (0.80, 0.63, 0.43)),
        SimObject(OBJECTS[9], "ellipsoid", TopDownPose(0.055, 0.082), (0.72, 0.52, 0.80)),
        SimObject(OBJECTS[10], "cylinder", SidePose(0.048, 0.130, 0.075), (0.68, 0.86, 0.92)),
        SimObject(OBJECTS[11], "cylinder", SidePose(0.046, 0.122, 0.088), (0.32, 0.62, 0.48)),
        SimObject(OBJECTS[12], "cylinder", SidePose(0.042, 0.120, 0.078), (0.26, 0.32, 0.62)),
    )
}
