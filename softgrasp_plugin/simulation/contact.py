"""Contacts of the hand: making them as stiff as the object, and reading force, torque and indentation from
them.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..joints import JOINTS, NUM_JOINTS, THUMB_BEND, THUMB_SWING, FloatArray
from .engine import mujoco
from .hand import DIGITS, FINGER_LINKAGE, LEVER_ARM_M, THUMB_LINKAGE

_PALM = len(DIGITS)
_THUMB = DIGITS.index("thumb")
_CONTACT_ROW = int(mujoco.mjtConstraint.mjCNSTR_CONTACT_ELLIPTIC)
_MIN_IMPEDANCE = 0.5
_MAX_IMPEDANCE = 0.9999


def set_contact_stiffness(model: "mujoco.MjModel", stiffness_n_per_m: float) -> None:
    """Make every contact on the object yield 1 m per `stiffness_n_per_m` newtons at rest.

    MuJoCo's reference acceleration scales with the inertia in contact, so the wanted stiffness K fixes time
    constant and impedance d through K = 1 / ((1 - d) · tc² · inverse mass). A direct (negative) `solref`
    would be simpler, but without MuJoCo's stability guard a light object on a stiff contact is flung away.
    """
    geom = model.geom("object").id
    inverse_mass = model.body("object").invweight0[0] + model.body("index_distal").invweight0[0]
    time_constant = max(
        2 * model.opt.timestep, math.sqrt(1 / (stiffness_n_per_m * inverse_mass * (1 - _MIN_IMPEDANCE)))
    )
    impedance = min(1 - 1 / (stiffness_n_per_m * time_constant**2 * inverse_mass), _MAX_IMPEDANCE)
    model.geom_solimp[geom] = [impedance, impedance, 0.001, 0.5, 2]
    model.geom_solref[geom] = [time_constant, 1.0]


@dataclass(frozen=True)
class Touch:
    """Hand–object contact at one instant.

    Attributes:
        force_n: normal force of each of little, ring, middle, index, thumb, palm, shape (6,).
        deformation_m: indentation of the object by the thumb (or palm) plus that by the deepest finger.
        squash_m: indentation along each body axis of the object, shape (3,).
    """

    force_n: FloatArray
    deformation_m: float
    squash_m: FloatArray


class ContactReader:
    """Sums the contacts between the hand's parts and the object."""

    def __init__(self, model: "mujoco.MjModel") -> None:
        self._model = model
        self._object = model.geom("object").id
        self._part = {}
        for geom in range(model.ngeom):
            name, touches = model.geom(geom).name, model.geom_contype[geom] == 2
            if touches:
                self._part[geom] = next(
                    (i for i, digit in enumerate(DIGITS) if name.startswith(digit)), _PALM
                )
        self._wrench = np.zeros(6)

    def read(self, data: "mujoco.MjData") -> Touch:
        force, depth, squash = np.zeros(_PALM + 1), np.zeros(_PALM + 1), np.zeros(3)
        to_body = data.geom_xmat[self._object].reshape(3, 3).T
        for i in range(data.ncon):
            contact = data.contact[i]
            first, second = int(contact.geom1), int(contact.geom2)
            if self._object not in (first, second):
                continue
            part = self._part.get(second if first == self._object else first)
            if part is None:
                continue
            mujoco.mj_contactForce(self._model, data, i, self._wrench)
            indentation = max(-float(contact.dist), 0.0)
            force[part] += self._wrench[0]
            if indentation > depth[part]:
                depth[part] = indentation
            squash = np.maximum(squash, indentation * (to_body @ contact.frame[:3]) ** 2)
        deformation = max(depth[_THUMB], depth[_PALM]) + depth[:_THUMB].max()
        return Touch(force, float(deformation), squash)


class GapReader:
    """What an eye beside the table sees of the space between each digit and the object."""

    def __init__(self, model: "mujoco.MjModel") -> None:
        self._model = model
        self._object = model.geom("object").id
        self._links = [
            [model.geom(f"{digit}_{link}").id for link in ("proximal", "distal")] for digit in DIGITS
        ]

    def read(self, data: "mujoco.MjData", far_m: float) -> FloatArray:
        """Distance (5,) in metres from each of `DIGITS` to the object, at most `far_m`, negative where a
        digit indents it.
        """
        segment = np.zeros(6)
        return np.array(
            [
                min(
                    mujoco.mj_geomDistance(self._model, data, link, self._object, far_m, segment)
                    for link in links
                )
                for links in self._links
            ]
        )


class FingertipForce:
    """The force sensor of every joint: what contacts, and nothing else, do to it.

    The servo's own torque would not do: while a finger moves, most of it is inertia and damping. Contacts act
    on a digit through both its joints, which the linkage adds up.
    """

    def __init__(self, model: "mujoco.MjModel") -> None:
        self._nv = int(model.nv)
        self._projection = np.zeros((NUM_JOINTS, self._nv))
        for i, joint in enumerate(JOINTS):
            self._projection[i, model.joint(joint).dofadr[0]] = 1.0
            if i != THUMB_SWING:
                linkage = THUMB_LINKAGE if i == THUMB_BEND else FINGER_LINKAGE
                self._projection[i, model.joint(f"{DIGITS[i]}_distal").dofadr[0]] = linkage.slope
        self._projection /= -LEVER_ARM_M  # a contact that opens a digit is a force that the digit exerts

    def read(self, data: "mujoco.MjData") -> FloatArray:
        """Force (6,) in newtons at the lever arm of each joint; positive when the digit presses in the
        closing direction.
        """
        kind = data.efc_type
        rows = kind == _CONTACT_ROW
        if not rows.any():
            return np.zeros(NUM_JOINTS)
        jacobian = data.efc_J.reshape(-1, self._nv)[rows]
        return np.asarray(self._projection @ (jacobian.T @ data.efc_force[rows]))
