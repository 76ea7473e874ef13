"""How a grasp is going: lifted, held, dropped, crushed, and with what force."""

from dataclasses import asdict, dataclass

LIFTED_M = 0.080
"""The arm rises 100 mm; an object that followed more than 80 mm of it is lifted."""

SLIP_M = 0.020
"""An object that lags the hand by more than this has slipped out of it, or never left the table."""

HOLD_S = 1.0


@dataclass(frozen=True)
class GraspOutcome:
    """The state of a grasp at one moment of an episode.

    Attributes:
        is_success: held uncrushed: a crushed object is a failed grasp even while it is held.
        is_held: lifted now, for at least `HOLD_S`, and never dropped: the paper's verdict, which knows no
            crushing.
        is_dropped: the hand rose and the object did not stay with it, at any time so far.
        is_crushed: deformed past the object's limit, at any time so far.
        height_m: height of the object above where it stood.
        held_s: time since it was last lifted without interruption, seconds.
        grip_force_n: sum of all normal forces of the hand on the object, now.
        peak_grip_force_n: its highest value so far.
        mean_grip_force_n: its mean while the object was lifted; 0 before.
        deformation_mm: indentation from both sides, now.
        max_deformation_mm: its highest value so far.
    """

    is_success: bool = False
    is_held: bool = False
    is_dropped: bool = False
    is_crushed: bool = False
    height_m: float = 0.0
    held_s: float = 0.0
    grip_force_n: float = 0.0
    peak_grip_force_n: float = 0.0
    mean_grip_force_n: float = 0.0
    deformation_mm: float = 0.0
    max_deformation_mm: float = 0.0

    @property
    def is_decided(self) -> bool:
        """Whether the trial is over: held or fallen. After a crush it goes on: what is crushed may yet be
        held.
        """
        return self.is_held or self.is_dropped

    @property
    def verdict(self) -> str:
        """Both verdicts in words: `success`, `held, but crushed` or `no success`."""
        return "success" if self.is_success else "held, but crushed" if self.is_held else "no success"

    def to_info(self) -> dict[str, bool | float]:
        """The fields as a plain dict, for an environment's `info`."""
        return asdict(self)


class OutcomeTracker:
    """Follows one episode and keeps its `GraspOutcome`."""

    def __init__(self, crush_limit_m: float | None) -> None:
        self._crush_limit_m = crush_limit_m
        self._lifted_samples = 0
        self._lifted_force_sum = 0.0
        self.outcome = GraspOutcome()

    def update(
        self, dt_s: float, height_m: float, hand_height_m: float, grip_force_n: float, deformation_m: float
    ) -> None:
        """Take one sample, `dt_s` after the previous one."""
        past = self.outcome
        is_lifted = height_m > LIFTED_M
        held_s = past.held_s + dt_s if is_lifted else 0.0
        if is_lifted:
            self._lifted_samples += 1
            self._lifted_force_sum += grip_force_n
        is_dropped = past.is_dropped or hand_height_m - height_m > SLIP_M
        is_held = is_lifted and held_s >= HOLD_S and not is_dropped
        is_crushed = past.is_crushed or (
            self._crush_limit_m is not None and deformation_m > self._crush_limit_m
        )
        self.outcome = GraspOutcome(
            is_success=is_held and not is_crushed,
            is_held=is_held,
            is_dropped=is_dropped,
            is_crushed=is_crushed,
            height_m=height_m,
            held_s=held_s,
            grip_force_n=grip_force_n,
            peak_grip_force_n=max(past.peak_grip_force_n, grip_force_n),
            mean_grip_force_n=self._lifted_force_sum / self._lifted_samples if self._lifted_samples else 0.0,
            deformation_mm=1000 * deformation_m,
            max_deformation_mm=max(past.max_deformation_mm, 1000 * deformation_m),
        )
