"""How long a control tick and a training step of the policies take, beside LeRobot's ACT on the same image.

    python benchmarks/policy_latency.py
    python benchmarks/policy_latency.py --threads=1 --use_amp=true
    python benchmarks/policy_latency.py --softgrasp_image_size='[240,320]'     # as many pixels as ACT sees

Random weights and random inputs: speed only. `inference` is one frame through `select_action`, as
lerobot-rollout calls it 30 times a second; ACT executes one action per prediction here, so that both predict
at every tick. `training` is forward, backward and Adam. Each policy is at its own defaults: those of this
package resize images to 75×100 (TimeSformer to 96×128), LeRobot's ACT takes them as they are. `--small=true`
compares them at sizes for a CPU instead, with images of 48×64.
"""

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import draccus
import torch
from lerobot.configs import FeatureType, PolicyFeature, PreTrainedConfig
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import get_policy_class
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor

import lerobot_robot_softgrasp  # noqa: F401  makes the policies known by name
from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.policies.example import make_example_batch, make_example_config_of


@dataclass
class LatencyConfig:
    image_height: int = 240
    image_width: int = 320
    batch_size: int = 8
    repetitions: int = 3
    threads: int = 2
    device: str = "cpu"
    use_amp: bool = False
    softgrasp_image_size: tuple[int, int] = (75, 100)
    small: bool = False


@dataclass
class Candidate:
    name: str
    policy: PreTrainedPolicy
    frame: dict[str, Tensor]
    batch: dict[str, Tensor]


CHUNK = {"chunk_size": 10, "n_action_steps": 1, "temporal_ensemble_coeff": 0.01}
SMALL_HEADS = {"joint_encoder": "flat", "head_hidden_dims": [256, 256]}
SMALL: dict[str, dict[str, Any]] = {
    "softgrasp": SMALL_HEADS | {"backbone_stages": 2, "feature_dim": 64},
    "softgrasp_act": {
        "backbone_stages": 2,
        "dim_model": 128,
        "n_heads": 4,
        "dim_feedforward": 256,
        "n_encoder_layers": 2,
        "n_vae_encoder_layers": 2,
    },
    "softgrasp_timesformer": SMALL_HEADS | {"patch_size": 16, "dim": 96, "depth": 3, "num_heads": 4},
}


def candidates(config: LatencyConfig) -> list[Candidate]:
    """The policies of this package: as the paper has them, with chunks, and the comparison strategies."""
    size = {"image_size": config.softgrasp_image_size}
    chosen: list[tuple[str, str, dict[str, Any]]] = [
        ("softgrasp", "softgrasp", size),
        ("softgrasp, chunk of 10", "softgrasp", size | CHUNK),
        ("softgrasp, concat", "softgrasp", size | {"fusion": "concat"}),
        ("softgrasp_act, chunk of 10", "softgrasp_act", size | CHUNK),
        ("softgrasp_timesformer, chunk of 10", "softgrasp_timesformer", CHUNK),
    ]
    if config.small:
        chosen = [(name, name, CHUNK | {"image_size": (48, 64)} | fields) for name, fields in SMALL.items()]
    return [make_candidate(name, policy_type, fields, config) for name, policy_type, fields in chosen]


def make_candidate(name: str, policy_type: str, fields: dict[str, Any], config: LatencyConfig) -> Candidate:
    policy_config = make_example_config_of(
        PreTrainedConfig.get_choice_class(policy_type),
        config.image_height,
        config.image_width,
        device=config.device,
        use_amp=config.use_amp,
        **fields,
    )
    frame = make_example_batch(policy_config, 1, stacked=False)
    batch = make_example_batch(policy_config, config.batch_size)
    return Candidate(name, get_policy_class(policy_type)(policy_config), frame, batch)


def act_candidate(config: LatencyConfig) -> Candidate:
    """LeRobot's ACT with its own defaults and random weights."""
    image = PolicyFeature(FeatureType.VISUAL, (3, config.image_height, config.image_width))
    policy_config = ACTConfig(
        device=config.device,
        n_action_steps=1,
        pretrained_backbone_weights=None,
        input_features={
            OBS_STATE: PolicyFeature(FeatureType.STATE, (len(STATE_KEYS),)),
            IMAGE_FEATURE: image,
        },
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (len(STATE_KEYS),))},
    )
    frame = {OBS_STATE: torch.rand(1, len(STATE_KEYS)), IMAGE_FEATURE: torch.rand(1, *image.shape)}
    batch = {
        OBS_STATE: torch.rand(config.batch_size, len(STATE_KEYS)),
        IMAGE_FEATURE: torch.rand(config.batch_size, *image.shape),
        ACTION: torch.rand(config.batch_size, policy_config.chunk_size, len(STATE_KEYS)),
        f"{ACTION}_is_pad": torch.zeros(config.batch_size, policy_config.chunk_size, dtype=torch.bool),
    }
    return Candidate("act (LeRobot)", ACTPolicy(policy_config), frame, batch)


def milliseconds(call: Callable[[], object], repetitions: int, device: str) -> tuple[float, float]:
    """Best and median duration of a call in milliseconds, after two calls to warm up."""
    durations = []
    for repetition in range(repetitions + 2):
        start = time.perf_counter()
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        if repetition >= 2:
            durations.append(1e3 * (time.perf_counter() - start))
    return min(durations), statistics.median(durations)


def training_step(candidate: Candidate, config: LatencyConfig) -> Callable[[], None]:
    optimizer = torch.optim.Adam(candidate.policy.parameters())

    def step() -> None:
        candidate.policy.train()
        with torch.autocast(config.device.split(":")[0], enabled=config.use_amp):
            loss, _ = candidate.policy.forward(candidate.batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


@draccus.wrap()
def main(config: LatencyConfig) -> None:
    torch.set_num_threads(config.threads)
    print(
        f"{platform.processor() or platform.machine()}, {config.threads} threads, torch {torch.__version__}, "
        f"{config.device}, image {config.image_height}×{config.image_width}, "
        f"{'mixed precision' if config.use_amp else 'float32'}"
    )
    print(f"{'policy':<36}{'parameters':>12}{'inference ms':>18}{f'training ms (B={config.batch_size})':>24}")
    for candidate in [*candidates(config), *([] if config.small else [act_candidate(config)])]:
        candidate.policy.to(config.device)
        candidate.frame = {key: value.to(config.device) for key, value in candidate.frame.items()}
        candidate.batch = {key: value.to(config.device) for key, value in candidate.batch.items()}
        train = milliseconds(training_step(candidate, config), config.repetitions, config.device)
        candidate.policy.reset()
        act = milliseconds(
            lambda policy=candidate.policy, frame=candidate.frame: policy.select_action(frame),
            4 * config.repetitions,
            config.device,
        )
        parameters = f"{sum(parameter.numel() for parameter in candidate.policy.parameters()) / 1e6:.1f} M"
        inference, training = f"{act[0]:.1f} / {act[1]:.1f}", f"{train[0]:.0f} / {train[1]:.0f}"
        print(f"{candidate.name:<36}{parameters:>12}{inference:>18}{training:>24}")
    print("best / median of the repetitions")


if __name__ == "__main__":
    main()
