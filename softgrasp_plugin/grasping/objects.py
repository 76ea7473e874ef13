"""The twelve objects of the SoftGrasp experiments (paper, Table 2)."""

from dataclasses import dataclass
from typing import Literal

Hardness = Literal["rigid", "soft-plastic", "deformable"]
GraspType = Literal["top-down", "side"]


@dataclass(frozen=True)
class GraspObject:
    """One row of Table 2.

    Attributes:
        object_id: 1…12 as in the paper; 1–6 are trained on, 7–12 are novel.
        mass_g: mass in grams.
        hardness_hc: Shore C hardness; the paper gives "<10" and ">90" at the ends, stored as 10 and 90.
        size_mm: bounding box in millimetres as printed in the paper.
        material: the paper's abbreviation.
        modulus_gpa: Young's modulus of the material in GPa.
        grasp: direction from which the hand approaches.
    """

    object_id: int
    mass_g: float
    hardness_hc: int
    size_mm: tuple[int, int, int]
    material: str
    modulus_gpa: float
    grasp: GraspType

    @property
    def task(self) -> str:
        """Name of the object's task in the environment, `object_01` … `object_12`."""
        return f"object_{self.object_id:02d}"

    @property
    def is_novel(self) -> bool:
        """Whether the paper keeps the object for testing only."""
        return self.object_id > 6

    @property
    def hardness(self) -> Hardness:
        """The paper's class: rigid above 90 HC, deformable below 10 HC, soft-plastic between."""
        if self.hardness_hc >= 90:
            return "rigid"
        return "deformable" if self.hardness_hc <= 10 else "soft-plastic"


OBJECTS: dict[int, GraspObject] = {
    row.object_id: row
    for row in (
        GraspObject(1, 15.0, 55, (81, 81, 67), "MDPE", 0.648, "top-down"),
        GraspObject(2, 16.4, 56, (70, 60, 130), "MDPE", 0.648, "top-down"),
        GraspObject(3, 162.5, 10, (100, 80, 80), "TPE", 0.204, "top-down"),
        GraspObject(4, 76.3, 10, (110, 110, 90), "TPE", 0.204, "top-down"),
        GraspObject(5, 52.0, 10, (80, 75, 120), "TPE", 0.204, "top-down"),
        GraspObject(6, 365.2, 90, (59, 59, 152), "stainless steel", 196.0, "side"),
        GraspObject(7, 16.9, 57, (70, 70, 90), "MDPE", 0.648, "top-down"),
        GraspObject(8, 17.3, 35, (81, 40, 140), "paperboard", 1.935, "top-down"),
        GraspObject(9, 43.5, 10, (115, 80, 129), "polyester", 5.0, "top-down"),
        GraspObject(10, 17.6, 42, (58, 58, 140), "PC", 2.6, "side"),
        GraspObject(11, 389.7, 90, (45, 45, 172), "glass", 55.0, "side"),
        GraspObject(12, 37.1, 75, (38, 38, 146), "PC", 2.6, "side"),
    )
}

TASK_DESCRIPTION = "Grasp the object without crushing it and hold it lifted."
"""What is recorded as a demonstration's task."""

OBJECT_BY_TASK: dict[str, GraspObject] = {row.task: row for row in OBJECTS.values()}
TASKS: tuple[str, ...] = tuple(OBJECT_BY_TASK)
