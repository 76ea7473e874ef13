"""A simulated person who grasps through a force-feedback glove.

The person sees (object, hand, arm) and feels (the glove's resistance, the own fingers), and does nothing but
bend fingers. What the hand measures reaches the person only as Algorithm 1 renders it on the glove:

    intention → finger ⇄ glove ─Am→ f ─Âs→ hand ─Ts→ feel channel → Algorithm 1 ─T̂m, Âm→ glove

The hand starts open and opposes the thumb; every digit approaches until it is near the object, where those
that are first wait for the opposite side, so that the object is met from both sides at once and not pushed
away. Then every digit closes the gap slowly; goes on with a light push until it meets a lock;
then presses on a little, by an amount that experience ties to the look of the object (most on steel and
glass), and rests.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..devices.gloves.feedback_loop import FeedbackLoop
from ..grasping.force_feedback import FeedbackConfig, ForceFeedback
from ..grasping.mapping import PAPER_MAPPING, AngleMapping
from ..joints import FINGERS, NUM_JOINTS, THUMB_BEND, THUMB_SWING, FloatArray
from .clock import FEEDBACK_RATE
from .glove import FINGER_STIFFNESS, SimulatedGlove
from .hand import DIGITS, swing_closure
from .scene import LIFT_HEIGHT_M
from .world import World

GRASP_SWING_DEG = 95.0
"""Thumb swing at the grasp, nearly opposed."""

_DT_S = 1 / FEEDBACK_RATE
_SIGHT_PERIOD_S = 1 / 30 - 1e-9
_TOUCH_GAP_M = 0.002
_SLOPE_STEP = 1e-3
_MIN_SLOPE = 0.5
_SWING_PUSH_N = 3.0
"""The swing goes to an angle, not to a touch."""

BoolArray = NDArray[np.bool_]


class OperatorPhase(StrEnum):
    """What the person is doing."""

    PREPARING = "preparing"
    GRASPING = "grasping"
    LIFTING = "lifting"
    HOLDING = "holding"
    DONE = "done"


@dataclass(frozen=True)
class OperatorConfig:
    """A person's habits.

    Attributes:
        prepare_s: seconds of looking before the hand moves.
        hold_s: seconds for which the lifted object is watched before the person is done.
        patience_s: seconds after which the person gives up.
        approach_speed: closure per second of a digit far from the object.
        touch_speed: closure per second of a digit about to touch a firm object.
        soft_touch_speed: the same where the object looks soft.
        press_speed: closure per second of a digit that feels something, until it meets a lock.
        swing_speed: closure per second of the thumb's swing.
        slow_down_m: gap between digit and object from which on the person is slow, having slowed down from
            twice as far: whoever is slow for a way only shows what to do while nothing is touched yet.
        poise_m: gap at which fingers wait for the thumb, and the thumb for a finger, to be as near.
        sight_error_m: standard deviation with which the person misjudges that gap, once per digit and grasp.
        push_n: force with which a finger is pushed on until it meets a lock.
        thumb_push_n: the same of the thumb, which opposes all fingers.
        loosen_s: seconds without resistance after which a lock is felt to have gone.
        rest_n: force with which a digit rests against a lock, and follows if the lock gives way.
        wait_s: seconds for which the person waits, everything locked, for the arm to rise before pressing
            on with the thumb.
        nudge: closure by which the thumb then presses on.
        synergy: closure by which a finger that has not reached the object may lead those that have.
        light_press: closure by which digits are pressed on past the lock where the object looks light and
            firm.
        soft_press: the same where it looks soft.
        heavy_press: the same where it looks heavy.
        press_n: force of that press.
        speed_variation: half-width of the uniform factor on all speeds, drawn per grasp.
        grip_variation: half-width of the uniform factor on pushes and presses, drawn per grasp.
        digit_variation: half-width of the uniform factor on each digit's speed, drawn per grasp.
    """

    prepare_s: float = 0.15
    hold_s: float = 1.2
    patience_s: float = 12.0
    approach_speed: float = 0.8
    touch_speed: float = 0.10
    soft_touch_speed: float = 0.08
    press_speed: float = 0.04
    swing_speed: float = 1.2
    slow_down_m: float = 0.010
    poise_m: float = 0.010
    sight_error_m: float = 0.001
    push_n: float = 0.7
    thumb_push_n: float = 1.0
    loosen_s: float = 0.1
    rest_n: float = 0.03
    wait_s: float = 0.8
    nudge: float = 0.003
    synergy: float = 0.08
    light_press: float = 0.0045
    soft_press: float = 0.008
    heavy_press: float = 0.013
    press_n: float = 4.5
    speed_variation: float = 0.15
    grip_variation: float = 0.15
    digit_variation: float = 0.08


class OperatorModel:
    """Bends the fingers of a `SimulatedGlove` inside a world's tick.

    Args:
        world: the world to act in; the operator adds itself to its listeners.
        config: the person's habits.
        feedback: settings of Algorithm 1 between hand and glove.
        mapping: f, from glove angles to closures.
    """

    def __init__(
        self,
        world: World,
        config: OperatorConfig = OperatorConfig(),
        feedback: FeedbackConfig | None = None,
        mapping: AngleMapping = PAPER_MAPPING,
    ) -> None:
        self.config = config
        self.glove = SimulatedGlove()
        self.glove.connect()
        self.is_active = True
        self._world = world
        self._mapping = mapping
        self._loop = FeedbackLoop(
            self.glove, world.feel, ForceFeedback(feedback or FeedbackConfig()), clock=lambda: world.time
        )
        self.reset(world.seed)
        world.listeners.append(self._tick)

    def reset(self, seed: int) -> None:
        """Begin a new grasp of the object that is in the world now; the seed decides its variation."""
        config, rng = self.config, np.random.default_rng([seed, self._world.object_id, 2])

        def around_one(width: float, size: int) -> FloatArray:
            return rng.uniform(1 - width, 1 + width, size)

        hurry = around_one(config.speed_variation, 1)
        self._speed: FloatArray = hurry * around_one(config.digit_variation, NUM_JOINTS)
        grip = float(around_one(config.grip_variation, 1)[0])
        self._push_n: FloatArray = grip * np.array([*[config.push_n] * 4, config.thumb_push_n, _SWING_PUSH_N])
        press = {
            "rigid": config.heavy_press,
            "soft-plastic": config.light_press,
            "deformable": config.soft_press,
        }[self._world.object.table_row.hardness]
        self._press: FloatArray = np.full(NUM_JOINTS, press * grip)
        self._sight_error: FloatArray = rng.normal(0.0, config.sight_error_m, len(DIGITS))
        self._gap_m: FloatArray = np.full(NUM_JOINTS, np.inf)
        self._looked_at = -np.inf
        self._is_poised = False
        self._settled_at = 0.0

        self._loop.reset()
        self.glove.place(self._mapping.inverse(self._world.initial_closure))
        self._intention = self.glove.angle
        self._resting: BoolArray = np.zeros(NUM_JOINTS, dtype=bool)
        self._rested_at: FloatArray = np.zeros(NUM_JOINTS)
        self._loose_s: FloatArray = np.zeros(NUM_JOINTS)
        self._guide: FloatArray | None = None
        self._phase_started = 0.0
        self.phase = OperatorPhase.PREPARING

    @property
    def done(self) -> bool:
        """Whether the person is finished, with or without success."""
        return self.phase is OperatorPhase.DONE

    @property
    def expected_closure(self) -> FloatArray:
        """Âs = f(Am) of the glove as it is now, shape (6,)."""
        return self._mapping(self.glove.angle)

    def guide(self, closure: FloatArray) -> None:
        """Let the glove's motors lead the fingers to where f gives `closure` (6,), until the person is active
        again.
        """
        self._guide = self._mapping.inverse(closure)

    def detach(self) -> None:
        """Take the glove off and leave the world."""
        if self._tick in self._world.listeners:
            self._world.listeners.remove(self._tick)
        self.glove.disconnect()

    def _tick(self) -> None:
        self._loop.tick()
        if self._guide is not None:
            if not self.is_active:
                self._intention = self._guide
            self._guide = None
        elif self.is_active:
            self._advance_phase()
            self._intention = self._intend()
        self.glove.advance(self._intention, _DT_S)

    def _advance_phase(self) -> None:
        """Phases follow what the person sees."""
        now, height_m = self._world.time, self._world.lift_height_m
        elapsed = now - self._phase_started
        match self.phase:
            case OperatorPhase.PREPARING if elapsed >= self.config.prepare_s:
                self._begin(OperatorPhase.GRASPING)
            case OperatorPhase.GRASPING if height_m > 0:
                self._begin(OperatorPhase.LIFTING)
            case OperatorPhase.LIFTING if height_m >= LIFT_HEIGHT_M:
                self._begin(OperatorPhase.HOLDING)
            case OperatorPhase.HOLDING if elapsed >= self.config.hold_s:
                self._begin(OperatorPhase.DONE)
        if now >= self.config.patience_s:
            self._begin(OperatorPhase.DONE)

    def _begin(self, phase: OperatorPhase) -> None:
        self.phase, self._phase_started = phase, self._world.time

    def _intend(self) -> FloatArray:
        """Where the person wants the own fingers (6,), in glove angles."""
        angle = self.glove.angle
        if self.phase is OperatorPhase.PREPARING:
            return self._intention
        closure, ahead = self._mapping(np.stack([angle, np.minimum(angle + _SLOPE_STEP, 1.0)]))
        slope = np.maximum((ahead - closure) / _SLOPE_STEP, _MIN_SLOPE)
        self._look()
        self._feel(angle, closure)
        # A finger is intended ahead of where it is by no more than the force it shall push with.
        reach = angle + self._wanted_push(closure) / FINGER_STIFFNESS
        intention: FloatArray = np.minimum(
            self._intention + self._wanted_speed(closure) / slope * _DT_S, reach
        )
        return intention

    def _feel(self, angle: FloatArray, closure: FloatArray) -> None:
        """Notice which joints have met a lock, which resists with all that one pushes, and which have lost
        it.
        """
        felt, pushing = self.glove.felt_torque, FINGER_STIFFNESS * (self._intention - angle)
        meets = ~self._resting & (pushing > 0.9 * self._push_n) & (felt > 0.9 * pushing)
        self._rested_at[meets] = closure[meets]
        self._loose_s = np.where(self._resting & (felt <= 0.0), self._loose_s + _DT_S, 0.0)
        self._resting = (self._resting | meets) & (self._loose_s < self.config.loosen_s)

    def _wanted_speed(self, closure: FloatArray) -> FloatArray:
        """Closure per second of every joint: fast far from the object, slow near it, none for a digit that
        must wait.
        """
        config = self.config
        touch_speed = (
            config.soft_touch_speed
            if self._world.object.table_row.hardness == "deformable"
            else config.touch_speed
        )
        nearness = np.clip(2 - self._gap_m / config.slow_down_m, 0.0, 1.0)
        speed = config.approach_speed + (touch_speed - config.approach_speed) * nearness

        touching = self.glove.felt_torque > 0.0
        speed[touching] = config.press_speed

        swing_left = swing_closure(GRASP_SWING_DEG) - closure[THUMB_SWING]
        speed[THUMB_SWING] = np.clip(swing_left / 0.1, 0.0, 1.0) * config.swing_speed
        if swing_left > 0.02:
            speed[THUMB_BEND] = 0.0
        speed[self._too_early(swing_left)] = 0.0
        arrived = (touching | (self._gap_m < _TOUCH_GAP_M))[FINGERS]
        if arrived.any():
            lead = closure[FINGERS] - closure[FINGERS][arrived].mean()
            speed[FINGERS][~arrived & (lead > config.synergy)] = 0.0
        return speed * self._speed

    def _too_early(self, swing_left: float) -> BoolArray:
        """Joints (6,) that are near the object before the opposite side is."""
        near = self._gap_m < self.config.poise_m
        waits: BoolArray = np.zeros(NUM_JOINTS, dtype=bool)
        if not self._is_poised:
            is_thumb_near = bool(near[THUMB_BEND]) and swing_left <= 0.02
            are_fingers_near = bool(near[FINGERS].any())
            waits[FINGERS] = near[FINGERS]
            waits[THUMB_BEND] = is_thumb_near
            self._is_poised = is_thumb_near and are_fingers_near
        return waits & (not self._is_poised)

    def _wanted_push(self, closure: FloatArray) -> FloatArray:
        """Newtons with which every finger is pushed at most."""
        push = np.where(self._resting, self.config.rest_n, self._push_n)
        pressing = self._resting & (closure - self._rested_at < self._press)
        push[pressing] = self.config.press_n
        self._grow_impatient(settled=bool((self._resting & ~pressing)[:THUMB_SWING].all()))
        return push

    def _grow_impatient(self, settled: bool) -> None:
        """If the arm does not rise although everything is locked, the grip is too weak for it: press on with
        the thumb, which opposes all fingers.
        """
        now = self._world.time
        if not settled or self.phase is not OperatorPhase.GRASPING:
            self._settled_at = now
        elif now - self._settled_at > self.config.wait_s:
            self._press[THUMB_BEND] += self.config.nudge

    def _look(self) -> None:
        """See how far each digit is from the object, 30 times a second and not quite right."""
        if self._world.time >= self._looked_at + _SIGHT_PERIOD_S:
            self._looked_at = self._world.time
            far_m = 2 * self.config.slow_down_m
            self._gap_m[: len(DIGITS)] = self._world.digit_gaps(far_m) + self._sight_error
