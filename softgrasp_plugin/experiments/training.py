"""Training from frames in memory: `lerobot-train`'s own steps over a `CachedDataset`.

Configuration, policy, processors, optimiser, sampler, checkpoints and resuming are LeRobot's; only where a
batch comes from differs, and the few lines of an update, which LeRobot keeps changing. A checkpoint is one of
`lerobot-train`'s, for all of LeRobot's commands.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from lerobot.configs import PreTrainedConfig
from lerobot.configs.train import TrainPipelineConfig
from lerobot.policies import make_policy, make_pre_post_processors
from lerobot.utils.constants import PRETRAINED_MODEL_DIR
from lerobot.utils.random_utils import set_seed
from lerobot.utils.utils import cycle
from torch import Tensor
from torch.utils.data import DataLoader

from ..datasets.frame_cache import as_is
from ..lerobot_internals import (
    checkpoint_dir,
    load_training_state,
    make_optimizer_and_scheduler,
    make_sampler,
    save_checkpoint,
)
from .frames import open_demonstrations, samples
from .pieces import last_checkpoint


def train(cfg: TrainPipelineConfig) -> Iterator[tuple[int, dict[str, float]]]:
    """Train a policy to `cfg.steps` and save it, going on from the last checkpoint if there is one.

    Args:
        cfg: as for `lerobot-train`, with `output_dir` and the dataset's `root` set.

    Raises:
        ValueError: if this process has trained with another precision before; Accelerate keeps the first.

    Yields:
        After every `cfg.log_freq` steps, the number of steps done and the mean loss and other numbers since.
    """
    assert cfg.output_dir is not None
    assert cfg.policy is not None
    checkpoint = last_checkpoint(cfg.output_dir)
    cfg.resume = checkpoint.exists()
    if cfg.resume:
        cfg.checkpoint_path = checkpoint.resolve()
        cfg.policy.pretrained_path = cfg.checkpoint_path / PRETRAINED_MODEL_DIR
    if cfg.use_policy_training_preset:
        cfg.optimizer, cfg.scheduler = cfg.policy.get_optimizer_preset(), cfg.policy.get_scheduler_preset()
    accelerator = _make_accelerator(cfg.policy)
    if cfg.seed is not None:
        set_seed(cfg.seed, accelerator=accelerator)
    assert cfg.dataset.root is not None
    dataset = open_demonstrations(cfg.dataset.repo_id, Path(cfg.dataset.root), cfg.policy)
    policy = make_policy(cfg.policy, ds_meta=dataset.meta)
    preprocessor, postprocessor = make_pre_post_processors(
        cfg.policy,
        pretrained_path=str(cfg.policy.pretrained_path) if cfg.resume else None,
        **({} if cfg.resume else {"dataset_stats": dataset.meta.stats}),
    )
    optimizer, scheduler = make_optimizer_and_scheduler(cfg, policy)
    step = 0
    if cfg.resume:
        step, optimizer, scheduler = load_training_state(cfg.checkpoint_path, optimizer, scheduler)
    loader = DataLoader(
        samples(dataset, cfg.policy),
        batch_size=cfg.batch_size,
        sampler=make_sampler(dataset.meta, cfg, step),
        collate_fn=as_is,
    )
    policy, optimizer, loader, scheduler = accelerator.prepare(policy, optimizer, loader, scheduler)
    batches = cycle(loader)
    policy.train()
    numbers: dict[str, list[float]] = defaultdict(list)
    for done in range(step + 1, cfg.steps + 1):
        batch = {
            key: value.float() / 255.0 if isinstance(value, Tensor) and value.dtype is torch.uint8 else value
            for key, value in next(batches).items()
        }
        with accelerator.autocast():
            loss, further = policy.forward(preprocessor(batch))
        accelerator.backward(loss)
        if cfg.optimizer.grad_clip_norm > 0:
            accelerator.clip_grad_norm_(policy.parameters(), cfg.optimizer.grad_clip_norm)
        optimizer.step()
        optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()
        for name, value in {**(further or {}), "loss": loss.item()}.items():
            if isinstance(value, float):
                numbers[name].append(value)
        if done == cfg.steps or (cfg.save_freq > 0 and done % cfg.save_freq == 0):
            save_checkpoint(
                checkpoint_dir(cfg.output_dir, cfg.steps, done),
                done,
                cfg,
                accelerator.unwrap_model(policy),
                optimizer,
                scheduler,
                preprocessor,
                postprocessor,
            )
        if done % cfg.log_freq == 0 or done == cfg.steps:
            yield done, {name: float(np.mean(values)) for name, values in numbers.items()}
            numbers.clear()


def _make_accelerator(policy: PreTrainedConfig) -> Accelerator:
    # Not None: Accelerate would then take the precision of whatever was trained before in this process.
    precision = "no"
    if policy.use_amp:
        dtype = torch.get_autocast_dtype(torch.device(policy.device or "cpu").type)
        precision = {torch.bfloat16: "bf16", torch.float16: "fp16"}[dtype]
    return Accelerator(
        cpu=policy.device == "cpu", step_scheduler_with_optimizer=False, mixed_precision=precision
    )
