"""The angle mapping Âs = f(Am) from the glove's joints to the hand's (SoftGrasp, section 3.1 and Table 1).

A polynomial says nothing outside the angles it was fitted on: Table 1's thumb_swing is 53 at Am = 0. A
mapping therefore carries the domain in which it is valid, and clamps its input to that.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from ..bounds import require_within
from ..files import read_json, reading, write_text
from ..joints import JOINTS, NUM_JOINTS, FloatArray

FORMAT = "softgrasp-angle-mapping"
FORMAT_VERSION = 1
PAPER_ORDERS: tuple[int, ...] = (3, 3, 3, 3, 5, 5)
"""Polynomial order per joint: 3 for the fingers, 5 for the thumb (Table 1)."""

_RANGE_TOLERANCE = 1e-6

_MAX_COEFFICIENTS = 16
_MAX_COEFFICIENT = 1e6
"""Of what a file may hold: Table 1 has orders up to 5 and coefficients up to 2247."""

_INVERSE_SAMPLES = 4097


@dataclass(frozen=True)
class JointMapping:
    """One joint's polynomial and where it is valid.

    Attributes:
        coefficients: highest power first, as Table 1 prints them.
        domain: the glove angles (low, high) in which the polynomial rises from at least 0 to at most 1.
        residual_std: standard deviation of the fit's residuals, in closure.

    Raises:
        ValueError: if a number is not finite, or the polynomial leaves [0, 1] or falls inside `domain`.
    """

    coefficients: tuple[float, ...]
    domain: tuple[float, float]
    residual_std: float

    def __post_init__(self) -> None:
        low, high = self.domain
        if not np.isfinite([*self.coefficients, low, high, self.residual_std]).all():
            raise ValueError(f"an angle mapping must hold finite numbers only, got {self}")
        if len(self.coefficients) < 2:
            raise ValueError(
                f"an angle mapping needs a polynomial of order 1 or more, got {self.coefficients}"
            )
        if not 0 <= low < high <= 1 or self.residual_std < 0:
            raise ValueError(
                "expected 0 <= low < high <= 1 and residual_std >= 0, "
                f"got domain ({low}, {high}) and residual_std {self.residual_std}"
            )
        samples = np.polyval(self.coefficients, np.linspace(low, high, 257))
        inside = samples.min() >= -_RANGE_TOLERANCE and samples.max() <= 1 + _RANGE_TOLERANCE
        if not inside or np.diff(samples).min() < -_RANGE_TOLERANCE:
            raise ValueError(
                f"the polynomial {self.coefficients} does not rise within [0, 1] over its domain "
                f"({low:.4g}, {high:.4g}); compute the domain with valid_domain(coefficients)"
            )

    def __call__(self, angle: FloatArray) -> FloatArray:
        """Closure of the hand's joint for glove angles of any shape."""
        closure = np.polyval(self.coefficients, np.clip(angle, *self.domain))
        return np.asarray(np.clip(closure, 0.0, 1.0), dtype=np.float64)

    @cached_property
    def _inverse_table(self) -> tuple[FloatArray, FloatArray]:
        angle: FloatArray = np.linspace(*self.domain, _INVERSE_SAMPLES, dtype=np.float64)
        return np.maximum.accumulate(self(angle)), angle

    def inverse(self, closure: FloatArray) -> FloatArray:
        """Glove angle that maps to `closure`; closures out of reach give the nearest end of the domain.

        Interpolated on 4097 samples: for Table 1, f(inverse(c)) differs from c by less than 1e-6.
        """
        known_closure, known_angle = self._inverse_table
        return np.asarray(np.interp(closure, known_closure, known_angle), dtype=np.float64)


@dataclass(frozen=True)
class AngleMapping:
    """The mapping f of all six joints, in the order of `JOINTS`."""

    joints: tuple[JointMapping, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != NUM_JOINTS:
            raise ValueError(
                f"an angle mapping has {NUM_JOINTS} joints ({', '.join(JOINTS)}), got {len(self.joints)}"
            )

    def __call__(self, angle: FloatArray) -> FloatArray:
        """Map glove angles Am to hand closures Âs.

        Args:
            angle: (6,) or (N, 6), normalised glove angles; clamped to each joint's domain.

        Returns:
            Closures of the same shape, inside [0, 1].

        Raises:
            ValueError: if the last axis is not six long or an angle is not finite.
        """
        angle = _six_finite(angle, "glove angles")
        return np.stack([joint(angle[..., index]) for index, joint in enumerate(self.joints)], axis=-1)

    def inverse(self, closure: FloatArray, near: FloatArray | None = None) -> FloatArray:
        """Glove angles (6,) or (N, 6) that map to the given closures; see `JointMapping.inverse`.

        Args:
            closure: (6,) or (N, 6).
            near: the present glove angles, of the same shape. One beyond the end of the domain that is asked
                for maps to that closure already and is kept: no finger is moved to where f begins.

        Raises:
            ValueError: if the last axis is not six long or a value is not finite.
        """
        closure = _six_finite(closure, "closures")
        angle = np.stack(
            [joint.inverse(closure[..., index]) for index, joint in enumerate(self.joints)], axis=-1
        )
        if near is None:
            return angle
        near = _six_finite(near, "glove angles")
        low, high = np.array([joint.domain for joint in self.joints]).T
        beyond = ((near < low) & (angle <= low)) | ((near > high) & (angle >= high))
        return np.where(beyond, near, angle)

    def save(self, path: str | Path) -> None:
        """Write the mapping as JSON, the file that a glove's configuration points to."""
        joints = {
            name: {
                "coefficients": list(joint.coefficients),
                "domain": list(joint.domain),
                "residual_std": joint.residual_std,
            }
            for name, joint in zip(JOINTS, self.joints, strict=True)
        }
        document = {"format": FORMAT, "version": FORMAT_VERSION, "joints": joints}
        write_text(Path(path), json.dumps(document, indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "AngleMapping":
        """Read a mapping written by `save`.

        Raises:
            ValueError: if there is no such file or it is no such mapping; the message says what is wrong.
        """
        path = Path(path)
        with reading(path, "an angle mapping", "Write it anew with softgrasp-fit-mapping."):
            document = read_json(path)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError(f'{path} is not an angle mapping: expected an object with "format": "{FORMAT}"')
        if document.get("version") != FORMAT_VERSION:
            raise ValueError(
                f"{path} has version {document.get('version')!r}, expected version {FORMAT_VERSION}"
            )
        joints = document.get("joints")
        if not isinstance(joints, dict) or set(joints) != set(JOINTS):
            found = ", ".join(map(str, joints)) if isinstance(joints, dict) else repr(joints)
            raise ValueError(f"{path}: expected the joints {', '.join(JOINTS)}, found {found}")
        return cls(tuple(_joint_from_json(joints[name], f"{path}, joint {name}") for name in JOINTS))


def _joint_from_json(entry: Any, where: str) -> JointMapping:
    try:
        low, high = entry["domain"]
        if len(entry["coefficients"]) > _MAX_COEFFICIENTS:
            raise ValueError(f"a polynomial has at most {_MAX_COEFFICIENTS} coefficients")
        for value in (*entry["coefficients"], low, high, entry["residual_std"]):
            require_within("each number", value, -_MAX_COEFFICIENT, _MAX_COEFFICIENT)
        coefficients = tuple(float(value) for value in entry["coefficients"])
        return JointMapping(coefficients, (float(low), float(high)), float(entry["residual_std"]))
    except KeyError as error:
        raise ValueError(f"{where}: the field {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def valid_domain(
    coefficients: Sequence[float], data_range: tuple[float, float] | None = None
) -> tuple[float, float]:
    """The widest interval of glove angles on which a polynomial rises and stays inside [0, 1].

    Args:
        coefficients: highest power first.
        data_range: the glove angles (low, high) the polynomial was fitted on, where known; all of [0, 1]
            otherwise.

    Returns:
        (low, high), inside `data_range`.

    Raises:
        ValueError: if there is no such interval.
    """
    low, high = data_range if data_range is not None else (0.0, 1.0)
    polynomial = np.asarray(coefficients, dtype=np.float64)
    # On [0, 1] a vanishing coefficient changes nothing, but as the leading one it spoils the roots.
    polynomial = np.where(np.abs(polynomial) < 1e-12 * np.abs(polynomial).max(), 0.0, polynomial)
    slope = np.polyder(polynomial)
    # Between neighbouring roots of f', f and f − 1 nothing changes, so one look at each middle decides. Real
    # parts
    # of complex roots only add edges, and intervals that meet at one are joined again.
    level = np.zeros(len(polynomial))
    level[-1] = 1.0
    roots = np.concatenate([np.roots(slope), np.roots(polynomial), np.roots(polynomial - level)]).real
    edges = np.concatenate([[low], np.sort(roots[(roots > low) & (roots < high)]), [high]])
    middles = (edges[:-1] + edges[1:]) / 2
    values = np.polyval(polynomial, middles)
    good = (np.polyval(slope, middles) > 0) & (values >= 0) & (values <= 1)

    best = (low, low)
    start: float | None = None
    for index, is_good in enumerate(good):
        start = (float(edges[index]) if start is None else start) if is_good else None
        if start is not None and edges[index + 1] - start > best[1] - best[0]:
            best = (start, float(edges[index + 1]))
    if best[0] >= best[1]:
        raise ValueError(
            f"the polynomial {tuple(coefficients)} nowhere rises inside [0, 1] for glove angles "
            f"{low:.4g} to {high:.4g}; both sides must grow as the finger bends "
            "(closure = 1 − ANGLE / 1000 for an RH56)"
        )
    return best


def fit_mapping(glove: FloatArray, hand: FloatArray, orders: Sequence[int] = PAPER_ORDERS) -> AngleMapping:
    """Fit f on pairs recorded with the glove worn on the hand (SoftGrasp, section 3.1, Table 1, Fig. 3).

    Args:
        glove: (N, 6) normalised glove angles Am.
        hand: (N, 6) measured closures As.
        orders: polynomial order per joint.

    Returns:
        The mapping; each domain lies inside the angles seen. `residual_std` is sqrt(SSE / (N − order − 1)).

    Raises:
        ValueError: if the pairs are too few, not finite or outside [0, 1], a joint was not moved, or a fit
            does not rise over most of its data.
    """
    glove, hand = _six_finite(glove, "glove angles"), _six_finite(hand, "hand closures")
    if glove.ndim != 2 or glove.shape != hand.shape:
        raise ValueError(
            f"expected two arrays of the same shape (N, {NUM_JOINTS}), got {glove.shape} and {hand.shape}"
        )
    if len(orders) != NUM_JOINTS or min(orders) < 1:
        raise ValueError(f"expected {NUM_JOINTS} polynomial orders of 1 or more, got {tuple(orders)}")
    for name, values in (("glove angles", glove), ("hand closures", hand)):
        if values.min(initial=0.0) < 0 or values.max(initial=1.0) > 1:
            raise ValueError(
                f"{name} must lie in [0, 1], got {values.min():.4g} to {values.max():.4g}; "
                "normalise them to 0 open … 1 closed"
            )
    return AngleMapping(
        tuple(
            _fit_joint(name, glove[:, index], hand[:, index], order)
            for index, (name, order) in enumerate(zip(JOINTS, orders, strict=True))
        )
    )


def _fit_joint(name: str, glove: FloatArray, hand: FloatArray, order: int) -> JointMapping:
    distinct = len(np.unique(glove))
    if distinct < order + 2:
        raise ValueError(
            f"{name}: a polynomial of order {order} needs at least {order + 2} different glove angles, "
            f"got {distinct}; move the joint through its whole range while recording"
        )
    # Polynomial.fit works on angles scaled to [−1, 1]; a plain fifth-order fit on 0.4…0.7 is badly
    # conditioned.
    polynomial = Polynomial.fit(glove, hand, order)
    coefficients = tuple(
        float(value) for value in np.pad(polynomial.convert().coef, (0, order + 1))[order::-1]
    )
    residual = hand - np.polyval(coefficients, glove)
    std = float(np.sqrt(np.sum(residual**2) / (len(glove) - order - 1)))
    try:
        low, high = valid_domain(coefficients, (float(glove.min()), float(glove.max())))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    share = float(np.mean((glove >= low) & (glove <= high)))
    if share < 0.5:
        raise ValueError(
            f"{name}: the fit of order {order} rises only between {low:.4g} and {high:.4g}, where "
            f"{share:.0%} of the samples lie; record more over the whole range, or choose a lower order"
        )
    return JointMapping(coefficients, (low, high), std)


def _six_finite(values: FloatArray, what: str) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] != NUM_JOINTS:
        raise ValueError(
            f"{what} must have {NUM_JOINTS} columns ({', '.join(JOINTS)}), got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{what} must be finite, got {int(np.sum(~np.isfinite(values)))} NaN or infinite")
    return values


_TABLE_1: tuple[tuple[tuple[float, ...], float], ...] = (
    ((0.3678, -1.03, 1.844, 0.037), 9.944e-3),
    ((-0.07913, -0.8193, 2.003, -0.02124), 5.903e-3),
    ((0.2115, -1.393, 2.25, -0.0123), 6.201e-3),
    ((0.5385, -1.42, 2.064, -0.002128), 5.818e-3),
    ((-196.1, 582.0, -674.2, 378.3, -99.9, 9.904), 9.721e-3),
    ((-549.1, 1764.0, -2247.0, 1417.0, -438.4, 52.98), 4.446e-3),
)

PAPER_MAPPING = AngleMapping(
    tuple(JointMapping(coefficients, valid_domain(coefficients), std) for coefficients, std in _TABLE_1)
)
"""Table 1, each joint with its valid domain."""
