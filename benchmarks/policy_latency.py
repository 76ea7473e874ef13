"""How long a control tick and a training step of `softgrasp` take, beside LeRobot's ACT on the same image.

    python benchmarks/policy_latency.py
    python benchmarks/policy_latency.py --threads=1 --use_amp=true
    python benchmarks/policy_latency.py --softgrasp_image_size='[240,320]'     # as many pixels as ACT sees

Random weights and random inputs: speed only. `inference` is one frame through `select_action`, as
lerobot-rollout calls it 30 times a second; ACT executes one action per prediction here, so that both predict
at every tick. `training` is forward, backward and Adam. Each policy is at its own defaults: softgrasp resizes
images to 75×100, ACT takes them as they are.
"""

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import draccus
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor

from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.policies.softgrasp.example import make_example_batch, make_example_config
from softgrasp_plugin.policies.softgrasp.modeling_softgrasp import SoftGraspPolicy


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


@dataclass
class Candidate:
    name: str
    policy: PreTrainedPolicy
    frame: dict[str, Tensor]
    batch: dict[str, Tensor]


def softgrasp_candidates(config: LatencyConfig) -> list[Candidate]:
    """The paper's policy, the recommended one with chunks, and the paper's direct connection."""
    candidates = []
    for name, fields in {
        "softgrasp": {},
        "softgrasp, chunk of 10": {"chunk_size": 10, "temporal_ensemble_coeff": 0.01},
        "softgrasp, concat": {"fusion": "concat"},
    }.items():
        policy_config = make_example_config(
            config.image_height,
            config.image_width,
            device=config.device,
            use_amp=config.use_amp,
            image_size=config.softgrasp_image_size,
            **fields,
        )
        frame = make_example_batch(policy_config, 1, stacked=False)
        batch = make_example_batch(policy_config, config.batch_size)
        candidates.append(Candidate(name, SoftGraspPolicy(policy_config), frame, batch))
    return candidates


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
    print(f"{'policy':<24}{'parameters':>12}{'inference ms':>18}{f'training ms (B={config.batch_size})':>24}")
    for candidate in [*softgrasp_candidates(config), act_candidate(config)]:
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
        print(f"{candidate.name:<24}{parameters:>12}{inference:>18}{training:>24}")
    print("best / median of the repetitions")


if __name__ == "__main__":
    main()
