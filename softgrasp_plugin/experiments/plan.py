"""What the benchmark trains, on which demonstrations, and under which circumstances it tries the result.

Plain data, without LeRobot and PyTorch: what is missing of a benchmark is known before these are imported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..grasping.lift import LiftConfig
from ..grasping.objects import OBJECTS, TASKS
from ..grasping.torque_command import TorqueCommandConfig
from ..policies.modalities import MODALITIES
from ..simulation.catalogue import DIVERSE_TASKS, RANDOM_TASKS
from ..simulation.settings import WorldSettings
from ..simulation.variation import HIDDEN_VARIATION

type Demonstrations = Literal["dart", "clean", "wide", "more", "diverse"]
type Kind = Literal["zero", "freeze", "double", "swap"]

KINDS: tuple[Kind, ...] = ("zero", "freeze", "double", "swap")

TRAINING_TASKS = tuple(row.task for row in OBJECTS.values() if not row.is_novel)
FIRST_TRIAL_SEED = 1000
WIDE_SIZE = 0.15
"""Half-width of the size of demonstrated objects, to ask whether demonstrations are too uniform."""
LONGER = 3
"""How many times as many steps, to ask whether the training is too short."""
OPERATOR = "operator"
"""The virtual operator, who needs no training: what the task allows."""


@dataclass(frozen=True)
class Configuration:
    """One thing to train.

    Attributes:
        name: in files and on the command line.
        title: in tables.
        config: file in `hub_configs/train`.
        options: options of `lerobot-train` beside that file.
        demonstrations: recorded with action noise (`dart`), without (`clean`), with it and with objects whose
            size varies by `WIDE_SIZE` (`wide`), with it and of the random objects, too (`more`), or with it
            and of sixty further random objects and none of Table 2 (`diverse`), twice each.
        is_strategy: one of the four strategies of Table 6, for which a profile may ask for more seeds.
    """

    name: str
    title: str
    config: str
    options: tuple[str, ...] = ()
    demonstrations: Demonstrations = "dart"
    is_strategy: bool = False


CLOSURE_SHIFTS = (0.0, 0.1, 0.2, 0.3)
RECOMMENDED_SHIFT = 0.3
"""Of recommended.yaml, and of what is compared with it."""
LOSS_FACTORS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
MODALITY_SETS = ("image", "angle", "torque", "image_angle", "image_torque", "angle_torque")
STRATEGIES = ("softgrasp", "concat", "act", "timesformer")
LEROBOT_POLICIES = ("lerobot_act", "lerobot_diffusion")
"""Nothing of this package is in them: what a user would pick instead."""
_NO_DEADBAND = "--policy.closure_deadband=0.0"
_ABSOLUTE = ("--policy.relative_angles=false", "--policy.closure_shift=0.0")
_ONE_STEP = (
    "--policy.chunk_size=1",
    "--policy.temporal_ensemble_coeff=null",
    *_ABSOLUTE,
    _NO_DEADBAND,
    "--policy.residual=false",
    "--policy.huber_delta_angle=0.2",
    "--policy.huber_delta_torque=0.2",
    '--policy.normalization_mapping={"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"}',
)
"""The policy as the paper and its code describe it; only the optimiser's schedule is the benchmark's."""


def _configurations() -> Iterator[Configuration]:
    yield Configuration("softgrasp", "SoftGrasp (I+T+A, λ = 0.1)", "recommended.yaml", is_strategy=True)
    yield Configuration("concat", "Direct Connection", "table6/concat.yaml", is_strategy=True)
    yield Configuration("act", "ACT (images, angles)", "table6/act.yaml", is_strategy=True)
    yield Configuration("timesformer", "TimeSformer", "table6/timesformer.yaml", is_strategy=True)
    yield Configuration(
        "act_torque",
        "ACT (images, angles, torques)",
        "table6/act.yaml",
        ('--policy.modalities=["image","angle","torque"]',),
    )
    yield Configuration("lerobot_act", "LeRobot's own ACT", "lerobot/act.yaml")
    yield Configuration("lerobot_diffusion", "LeRobot's own Diffusion Policy", "lerobot/diffusion.yaml")
    for names in MODALITY_SETS:
        letters = "+".join(name[0].upper() for name in names.split("_"))
        yield Configuration(names, letters, f"table5/{names}.yaml")
    yield Configuration("chunk_clean", "chunk, without DART", "recommended.yaml", (), "clean")
    yield Configuration("absolute", "angles anew, not as a change", "recommended.yaml", _ABSOLUTE)
    yield Configuration("one_step", "the paper's one step, with DART", "recommended.yaml", _ONE_STEP)
    yield Configuration(
        "one_step_clean", "the paper's one step, without DART", "recommended.yaml", _ONE_STEP, "clean"
    )
    yield Configuration("wide", f"sizes of ±{WIDE_SIZE:.0%} demonstrated", "recommended.yaml", (), "wide")
    yield Configuration("more_objects", "random objects demonstrated, too", "recommended.yaml", (), "more")
    yield Configuration("longer", f"trained {LONGER} times as long", "recommended.yaml")
    # As hub_configs/policies/any_object was trained: with so many objects a larger shift was not tried.
    many = ("--policy.closure_shift=0.2",)
    yield Configuration("diverse", "sixty other objects demonstrated", "recommended.yaml", many, "diverse")
    yield Configuration(
        "any_object", f"sixty others, trained {LONGER} times as long", "recommended.yaml", many, "diverse"
    )
    yield Configuration("no_deadband", "no closure deadband", "recommended.yaml", (_NO_DEADBAND,))
    for shift in CLOSURE_SHIFTS:
        if shift != RECOMMENDED_SHIFT:
            options = (f"--policy.closure_shift={shift}",)
            yield Configuration(f"shift_{shift:g}", f"closure shift {shift:g}", "recommended.yaml", options)
    yield Configuration("curriculum", "SoftGrasp, blurred images first", "curriculum.yaml")
    for factor in LOSS_FACTORS:
        if factor != 0.1:  # the policy's own default
            yield Configuration(f"loss_{factor:g}", f"λ = {factor:g}", f"table4/loss_factor_{factor:g}.yaml")


CONFIGURATIONS: dict[str, Configuration] = {entry.name: entry for entry in _configurations()}


def title_of(name: str) -> str:
    """How a configuration is called in tables."""
    return "virtual operator" if name == OPERATOR else CONFIGURATIONS[name].title


@dataclass(frozen=True)
class Intervention:
    """What is done to one modality.

    Attributes:
        modality: one of the policies' `MODALITIES`.
        kind: `zero` (a black image, an open hand, no touch); `freeze` at the first value of the episode;
            `double` (closures and pixels at most their largest value); `swap` with the values that a recorded
            episode with another object had at the same tick.
    """

    modality: str
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.modality}_{self.kind}"


@dataclass(frozen=True)
class Condition:
    """Circumstances of trials.

    Attributes:
        name: in tables and files.
        world: fields of `WorldSettings` that differ from the profile's.
        torque: whether and how predicted torques limit or correct the grip.
        intervention: what is done to the policy's senses.
        description: the same in words, for the report.
    """

    name: str
    world: dict[str, Any] = field(default_factory=dict)
    torque: TorqueCommandConfig = field(default_factory=TorqueCommandConfig)
    intervention: Intervention | None = None
    description: str = ""


NOMINAL = Condition("nominal")
LIMIT = Condition("torque_limit", torque=TorqueCommandConfig(mode="limit"))
TRACK = Condition("torque_track", torque=TorqueCommandConfig(mode="track"))
SENSING = (
    Condition("torque_noise", {"torque_noise": 0.3}, description="0.3 N torque noise"),
    Condition(
        "camera_shift",
        {"camera_shift_m": 0.02, "camera_turn_rad": 0.035},
        description="camera moved 0.02 m, turned 0.035 rad",
    ),
    Condition("dropped_frames", {"dropped_frame_rate": 0.3}, description="0.3 of the frames lost"),
)
PRESENTED = (
    Condition("presented_soft", {"surface": "TPE"}),
    Condition("presented_rigid", {"surface": "stainless steel"}),
)
RANDOM_OBJECTS = Condition("random_objects")
INTERVENTIONS = tuple(
    Condition(intervention.name, intervention=intervention)
    for intervention in (Intervention(modality, kind) for modality in MODALITIES for kind in KINDS)
)


def tasks_of(condition: Condition, tasks: tuple[str, ...]) -> tuple[str, ...]:
    """The objects that are tried under a condition, where the nominal ones are `tasks`."""
    return RANDOM_TASKS if condition == RANDOM_OBJECTS else tasks


@dataclass(frozen=True, kw_only=True)
class DemonstrationConfig:
    """What is demonstrated.

    Attributes:
        objects: tasks in turn, one per episode, as in `--robot.objects`.
        per_object: demonstrations of each.
        seed: decides every scene.
        height: height of the camera image, pixels.
        width: width of the camera image, pixels.
        fps: frames per second.
        action_noise: standard deviation of slow noise on the executed closure (DART).
        sight_error_m: how far the operator misjudges distances, as in `--teleop.sight_error_m`.
        world: settings of every episode.
    """

    objects: tuple[str, ...]
    per_object: int
    seed: int = 0
    height: int = 240
    width: int = 320
    fps: int = 30
    action_noise: float = 0.0
    sight_error_m: float = 0.008
    world: WorldSettings = field(default_factory=WorldSettings)

    @property
    def num_episodes(self) -> int:
        return self.per_object * len(self.objects)


def _hidden_variation() -> WorldSettings:
    # The lift accepts the tremble of action noise, as in hub_configs/record/dart.yaml.
    return WorldSettings(variation=HIDDEN_VARIATION, lift=LiftConfig(settle_torque_rate=1.2))


@dataclass(frozen=True)
class Profile:
    """How much of the experiment is run.

    Attributes:
        name: what it is asked for by.
        tasks: objects to try; those of the training set among them are demonstrated.
        per_object: demonstrations of each training object.
        image_size: (height, width) of the camera.
        configurations: names of what is trained.
        strategy_seeds: training seeds of the four strategies.
        other_seeds: training seeds of everything else.
        trials: scenes per object under the nominal condition and with torque limits.
        further_trials: scenes per object under the other conditions.
        further_configurations: names of what is tried under the other conditions.
        further_seeds: training seeds of each of these that are.
        torque_seeds: training seeds of each of these that are tried with predicted torques executed.
        options: options of `lerobot-train` for every policy.
        network: further ones by policy type or name of the configuration.
        world: settings of demonstrations and trials alike.
    """

    name: str
    tasks: tuple[str, ...] = TASKS
    per_object: int = 15
    image_size: tuple[int, int] = (240, 320)
    configurations: tuple[str, ...] = tuple(CONFIGURATIONS)
    strategy_seeds: int = 3
    other_seeds: int = 3
    trials: int = 10
    further_trials: int = 10
    further_configurations: tuple[str, ...] = tuple(CONFIGURATIONS)
    further_seeds: int = 1
    torque_seeds: int = 1
    options: tuple[str, ...] = ()
    network: dict[str, tuple[str, ...]] = field(default_factory=dict)
    world: WorldSettings = field(default_factory=_hidden_variation)

    def seeds(self, configuration: Configuration) -> range:
        """Training seeds of a configuration."""
        return range(self.strategy_seeds if configuration.is_strategy else self.other_seeds)

    def demonstrations(self, kind: Demonstrations) -> DemonstrationConfig:
        """What the policies learn from; hidden variation is on for all of them."""
        objects = tuple(task for task in self.tasks if task in TRAINING_TASKS)
        per_object = self.per_object
        if kind == "more":
            objects += RANDOM_TASKS
        elif kind == "diverse":
            per_object = -(-len(objects) * per_object // max(len(DIVERSE_TASKS), 1))
            objects = DIVERSE_TASKS
        wide = replace(self.world, variation=replace(self.world.variation, size=WIDE_SIZE))
        return DemonstrationConfig(
            objects=objects,
            per_object=per_object,
            height=self.image_size[0],
            width=self.image_size[1],
            action_noise=0.0 if kind == "clean" else 0.001,
            world=wide if kind == "wide" else self.world,
        )


_SMALL_IMAGE = ("--policy.image_size=[36,48]", "--policy.use_amp=true")
_SMALL_HEADS = ("--policy.head_hidden_dims=[256,256]", "--policy.joint_encoder=flat")
_SMALL: dict[str, tuple[str, ...]] = {
    "softgrasp": (
        *_SMALL_IMAGE,
        *_SMALL_HEADS,
        "--policy.backbone_stages=1",
        "--policy.feature_dim=64",
    ),
    "softgrasp_timesformer": (
        *_SMALL_IMAGE,
        *_SMALL_HEADS,
        "--policy.patch_size=12",
        "--policy.dim=96",
        "--policy.depth=3",
        "--policy.num_heads=4",
    ),
    "softgrasp_act": (
        *_SMALL_IMAGE,
        "--policy.backbone_stages=1",
        "--policy.dim_model=128",
        "--policy.n_heads=4",
        "--policy.dim_feedforward=512",
        "--policy.n_encoder_layers=2",
        "--policy.n_vae_encoder_layers=2",
        "--policy.optimizer_lr_backbone=1.0e-3",
    ),
    # As large as LeRobot makes them, and with the learning rate of their files.
    **dict.fromkeys(LEROBOT_POLICIES, ("--optimizer.lr=1.0e-4",)),
}
_SCHEDULE = ("--optimizer.lr=1.0e-3", "--optimizer.grad_clip_norm=1.0", "--scheduler.num_warmup_steps=50")


def _timed(steps: int, *blur: str) -> dict[str, tuple[str, ...]]:
    """Options of what depends on the number of steps: the curriculum's blur ends half way."""
    return {
        "curriculum": (f"--policy.image_blur_steps={steps // 2}", *blur),
        **dict.fromkeys(("longer", "any_object"), (f"--steps={LONGER * steps}",)),
    }


_SMALL_BLUR = "--policy.image_blur_sigma=2.0"


_PROFILES = (
    Profile(
        name="quick",
        tasks=("object_01", "object_04"),
        per_object=3,
        image_size=(48, 64),
        configurations=STRATEGIES,
        strategy_seeds=1,
        trials=1,
        further_trials=1,
        further_configurations=("softgrasp",),
        options=("--batch_size=32", "--steps=60", "--log_freq=20", "--save_freq=0", *_SCHEDULE),
        network=_SMALL | _timed(60, _SMALL_BLUR),
    ),
    Profile(
        name="cpu",
        image_size=(48, 64),
        configurations=tuple(name for name in CONFIGURATIONS if name not in LEROBOT_POLICIES),
        other_seeds=1,
        further_trials=2,
        options=("--batch_size=32", "--steps=3000", "--log_freq=50", "--save_freq=500", *_SCHEDULE),
        network=_SMALL | _timed(3000, _SMALL_BLUR),
    ),
    # What docs/results was measured with: fewer trials than `cpu`, for a few hours on two processors.
    Profile(
        name="short",
        image_size=(48, 64),
        configurations=(
            *STRATEGIES,
            *MODALITY_SETS,
            *(name for name in CONFIGURATIONS if name.startswith(("shift_", "loss_"))),
            "no_deadband",
            "chunk_clean",
            "absolute",
            "one_step",
            "one_step_clean",
            "diverse",
            "any_object",
        ),
        strategy_seeds=3,
        other_seeds=1,
        trials=5,
        further_trials=1,
        further_configurations=("softgrasp", "concat", "no_deadband", "any_object"),
        torque_seeds=3,
        options=("--batch_size=32", "--steps=3000", "--log_freq=50", "--save_freq=0", *_SCHEDULE),
        network=_SMALL | _timed(3000, _SMALL_BLUR),
    ),
    # The paper's image size and widths. Sized by a measurement: on an H200 with nothing else to do a step of
    # SoftGrasp takes 25 ms.
    Profile(
        name="gpu",
        configurations=STRATEGIES,
        strategy_seeds=1,
        trials=5,
        further_configurations=(),
        options=("--batch_size=64", "--steps=4000", "--save_freq=1000"),
        network=_timed(4000),
    ),
    # 200 epochs of 6 objects × 15 demonstrations × about 170 frames (Table 3).
    Profile(name="paper", options=("--batch_size=32", "--steps=95000"), network=_timed(95_000)),
)
PROFILES: dict[str, Profile] = {profile.name: profile for profile in _PROFILES}
