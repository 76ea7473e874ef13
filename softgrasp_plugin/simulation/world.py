"""The simulated world, advanced in lock step: no wall clock, and the same seed and commands give the same
samples and pictures.

One `World.step()` is one control tick. Inside it the hand and the arm move smoothly to their newest commands,
and 120 times a second of simulated time the hand's newest sample goes to the feel channel and the listeners
are called: that is where the glove, Algorithm 1 and the simulated operator live, at their own rate.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from ..devices.feel import FeelChannel
from ..devices.hand_sample import HandSample
from ..joints import ARM_JOINTS, JOINTS, NUM_JOINTS, FloatArray
from . import hand, scene
from .camera import Camera, Image, check_renderer
from .catalogue import sim_object
from .clock import FEEDBACK_RATE, check_rate
from .contact import ContactReader, FingertipForce, GapReader, Touch, set_contact_stiffness
from .engine import mujoco
from .objects import SimObject, Surface
from .outcome import GraspOutcome, OutcomeTracker
from .renderer import make_camera
from .settings import WorldSettings
from .squash import Squash

_STEPS_PER_FEEDBACK = scene.TIMESTEPS_PER_SECOND // FEEDBACK_RATE

_HAND_SERVOS = slice(len(ARM_JOINTS), len(ARM_JOINTS) + NUM_JOINTS)


@cache
def _lift_path(sim: SimObject) -> FloatArray:
    return scene.arm_lift_path(sim)


class World:
    """A UR3 with the hand, one object on a table, and a camera at the side.

    Args:
        object_id: row of Table 2, 1…12, or a random object, 101…166.
        seed: episode; with the object it decides everything that is random.
        fps: control ticks per second; divides 120.
        settings: the object's variation and surface, the noise of its sensors, what is wrong with the camera.
        renderer: `ray` draws on any machine; `gl` uses OpenGL, with the backend named by MUJOCO_GL.
        feel: where the hand's samples are published; a channel of its own if None.

    Raises:
        ValueError: an unknown object or renderer, or an `fps` that does not divide 120.
    """

    feedback_rate = FEEDBACK_RATE

    def __init__(
        self,
        object_id: int = 1,
        seed: int = 0,
        fps: int = 30,
        settings: WorldSettings = WorldSettings(),  # noqa: B008 frozen
        renderer: str = "ray",
        feel: FeelChannel | None = None,
    ) -> None:
        check_rate("fps", fps)
        self.fps = fps
        self.settings = settings
        self.renderer = check_renderer(renderer)
        self.feel = FeelChannel() if feel is None else feel
        self.listeners: list[Callable[[], None]] = []
        self._object_id, self._seed = object_id, seed
        self.reset()

    def reset(self, object_id: int | None = None, seed: int | None = None) -> None:
        """Start an episode: object on the table, arm at the grasp pose, hand open. Omitted arguments keep
        their last value.
        """
        self._object_id = self._object_id if object_id is None else object_id
        self._seed = self._seed if seed is None else seed
        self.object: SimObject = sim_object(self._object_id)
        self.surface: Surface = self.settings.other_surface or self.object.surface
        self.object_state = self.settings.variation.draw(self.object, self._seed, self.surface)
        self._noise = np.random.default_rng([self._object_id, self._seed, 1])
        self._arm_path = _lift_path(self.object)

        self.model = scene.build_model(self.object, self.object_state)
        set_contact_stiffness(self.model, self.object_state.stiffness_n_per_m)
        self.data = mujoco.MjData(self.model)
        self._contacts = ContactReader(self.model)
        self._gaps = GapReader(self.model)
        self._sensor = FingertipForce(self.model)
        self._squash = Squash(self.model)
        self._arm_qpos = [int(self.model.joint(name).qposadr[0]) for name in ARM_JOINTS]
        self._hand_qpos = [int(self.model.joint(name).qposadr[0]) for name in JOINTS]

        self._closure = self.initial_closure
        self._closure_command = self.initial_closure
        self._lift = self._lift_command = 0.0
        self._place_robot()
        mujoco.mj_forward(self.model, self.data)
        self._set_up_camera()
        self._object_z = float(self.data.body("object").xpos[2])
        crush_fraction = self.surface.crush_fraction
        width_m = self.object.grasp_width_m * self.object_state.scale
        self._tracker = OutcomeTracker(None if crush_fraction is None else crush_fraction * width_m)
        self._substeps = 0
        self.touch: Touch = self._contacts.read(self.data)
        self._sample = HandSample(self._measured_closure(), np.zeros(NUM_JOINTS), self.time)
        self.feel.publish(self._sample)

    def put_object_back(self) -> None:
        """Stand the object where it stood at the start of the episode, at rest, wherever it lies now."""
        joint, start = self.data.joint("object"), int(self.model.joint("object").qposadr[0])
        joint.qpos[:] = self.model.qpos0[start : start + len(joint.qpos)]
        joint.qvel[:] = 0.0
        mujoco.mj_forward(self.model, self.data)

    @property
    def object_id(self) -> int:
        return self._object_id

    @property
    def seed(self) -> int:
        return self._seed

    @property
    def time(self) -> float:
        """Simulated seconds since the reset."""
        return self._substeps / scene.TIMESTEPS_PER_SECOND

    @property
    def initial_closure(self) -> FloatArray:
        """Closure (6,) at which the hand waits at the start of an episode, the same for every object."""
        return hand.INITIAL_CLOSURE.copy()

    @property
    def arm_joints(self) -> FloatArray:
        """Measured arm joint angles (6,), radians."""
        return np.array(self.data.qpos[self._arm_qpos])

    @property
    def lift_height_m(self) -> float:
        """Height of the hand above the grasp pose, as commanded by now."""
        return self._lift

    def digit_gaps(self, far_m: float = 0.05) -> FloatArray:
        """Distance (5,) in metres from each of `hand.DIGITS` to the object, at most `far_m`."""
        return self._gaps.read(self.data, far_m)

    def command_hand(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        """Set the closure (6,) to reach during the next step, clipped to [0, 1].

        Args:
            closure: wanted closures; all finite.
            torque_limit: cap (6,) in newtons on each joint's fingertip force; None: the servo's own limit.

        Raises:
            ValueError: a wrong shape, or a value that is not finite.
        """
        closure = _six(closure, "closure")
        limit = hand.SERVO_TORQUE_LIMIT
        if torque_limit is not None:
            limit = np.clip(
                _six(torque_limit, "torque_limit") * hand.LEVER_ARM_M, 0.0, hand.SERVO_TORQUE_LIMIT
            )
        self._closure_command = np.clip(closure, 0.0, 1.0)
        self.model.actuator_forcerange[_HAND_SERVOS] = np.stack([-limit, limit], axis=1)

    def command_lift(self, height_m: float) -> None:
        """Set the height above the grasp pose to reach during the next step, metres, clipped to [0, 0.1]."""
        if not np.isfinite(height_m):
            raise ValueError(f"height_m must be finite, got {height_m}.")
        self._lift_command = float(np.clip(height_m, 0.0, scene.LIFT_HEIGHT_M))

    def step(self) -> None:
        """Advance by exactly 1 / fps."""
        steps = scene.TIMESTEPS_PER_SECOND // self.fps
        closure_from, lift_from = self._closure, self._lift
        tick_torque, feedback_torque = np.zeros(NUM_JOINTS), np.zeros(NUM_JOINTS)
        for step in range(1, steps + 1):
            # The controllers of hand and arm move smoothly between two commands; a step in the command would
            # read as a touch.
            self._closure = closure_from + (self._closure_command - closure_from) * (step / steps)
            self._lift = lift_from + (self._lift_command - lift_from) * (step / steps)
            self.data.ctrl[_HAND_SERVOS] = hand.closure_to_angle(self._closure)
            self.data.ctrl[: _HAND_SERVOS.start] = self._arm_command(self._lift)
            mujoco.mj_step(self.model, self.data)
            self._substeps += 1
            torque = self._sensor.read(self.data)
            tick_torque += torque
            feedback_torque += torque
            if step % _STEPS_PER_FEEDBACK == 0:
                self._feedback(feedback_torque / _STEPS_PER_FEEDBACK)
                feedback_torque[:] = 0.0
        self._picture_is_lost = bool(self._camera_rng.random() < self.settings.dropped_frame_rate)
        self._sample = self._make_sample(tick_torque / steps)

    def hand_sample(self) -> HandSample:
        """What the hand measured over the last control tick."""
        return self._sample

    def outcome(self) -> GraspOutcome:
        """How the grasp is going."""
        return self._tracker.outcome

    def render(self, height: int = 240, width: int = 320) -> Image:
        """The picture of the camera at the side, shape (height, width, 3): of the present state, or the one
        delivered before if this tick's is lost.
        """
        size = (height, width)
        if self._picture_is_lost and size in self._delivered:
            return self._delivered[size].copy()
        camera = self._cameras.get(size)
        if camera is None:
            camera = self._cameras[size] = make_camera(self.renderer, self.model, height, width)
        self._squash.draw(self.touch.squash_m)
        image = camera.render(self.data)
        if self.settings.dropped_frame_rate > 0:
            self._delivered[size] = image.copy()
        return image

    def _set_up_camera(self) -> None:
        # A generator of its own: other faults of the camera must not change the noise on the torques.
        self._camera_rng = np.random.default_rng([self._object_id, self._seed, 3])
        if self.settings.moves_camera:
            scene.move_camera(self.model, self.data, *self.settings.draw_move(self._camera_rng))
        self._cameras: dict[tuple[int, int], Camera] = {}
        self._delivered: dict[tuple[int, int], Image] = {}
        self._picture_is_lost = False

    def _place_robot(self) -> None:
        data, angle = self.data, hand.closure_to_angle(self._closure)
        data.qpos[self._arm_qpos] = self._arm_path[0]
        data.qpos[self._hand_qpos] = angle
        for i, digit in enumerate(hand.DIGITS):
            link = hand.THUMB_LINKAGE if digit == "thumb" else hand.FINGER_LINKAGE
            data.qpos[self.model.joint(f"{digit}_distal").qposadr[0]] = link.offset + link.slope * angle[i]
        data.ctrl[: _HAND_SERVOS.start] = self._arm_path[0]
        data.ctrl[_HAND_SERVOS] = angle

    def _arm_command(self, height_m: float) -> FloatArray:
        place = height_m / scene.LIFT_HEIGHT_M * (len(self._arm_path) - 1)
        below = min(int(place), len(self._arm_path) - 2)
        share = place - below
        return np.asarray((1 - share) * self._arm_path[below] + share * self._arm_path[below + 1])

    def _feedback(self, torque: FloatArray) -> None:
        self.touch = self._contacts.read(self.data)
        height_m = float(self.data.body("object").xpos[2]) - self._object_z
        self._tracker.update(
            1 / FEEDBACK_RATE, height_m, self._lift, float(self.touch.force_n.sum()), self.touch.deformation_m
        )
        self.feel.publish(self._make_sample(torque))
        for listener in self.listeners:
            listener()

    def _measured_closure(self) -> FloatArray:
        return hand.angle_to_closure(np.array(self.data.qpos[self._hand_qpos]))

    def _make_sample(self, torque: FloatArray) -> HandSample:
        noise = self.settings.torque_noise * self._noise.standard_normal(NUM_JOINTS)
        measured = np.where(torque > 0.0, np.maximum(torque + noise, 0.0), 0.0)
        return HandSample(self._measured_closure(), measured, self.time)


def _six(values: FloatArray, name: str) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (NUM_JOINTS,) or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be {NUM_JOINTS} finite values in the order of joints.JOINTS, got {values!r}."
        )
    return array
