"""`softgrasp-demo`: record, train, evaluate and roll out one grasp in simulation with LeRobot's own commands.

Takes about eight minutes on two CPU cores. Everything it makes lies in one new folder.
"""

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import draccus
from draccus.utils import DecodingError

from ..allocator import KEEP_FREED_MEMORY
from ..bounds import require_within
from ..hub_configs import config_path
from ..options import refuses_in_words
from .steps import StepError, console_script, run_step


@refuses_in_words
@dataclass
class DemoConfig:
    """What the demonstration makes.

    Attributes:
        output_dir: a new folder below it receives everything.
        object: the object of Table 2 to grasp.
        episodes: demonstrations to record.
        eval_episodes: trials of the trained policy in simulation.
        required_successes: the command fails if the policy grasps less often than this.
    """

    output_dir: Path = Path("outputs/demo")
    object: str = "object_01"
    episodes: int = 12
    eval_episodes: int = 10
    required_successes: int = 8

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        require_within("--episodes", self.episodes, 1, 10_000)
        require_within("--eval_episodes", self.eval_episodes, 1, 10_000)
        require_within("--required_successes", self.required_successes, 0, 10_000)


def main() -> None:
    """Entry point of `softgrasp-demo`."""
    try:
        config = draccus.parse(DemoConfig)
    except DecodingError as error:
        sys.exit(f"error: {error}")
    try:
        sys.exit(run_demo(config))
    except StepError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Episodes that were finished are saved; start again with: make demo")


def run_demo(config: DemoConfig) -> int:
    """Run all steps; returns the exit code."""
    start = time.monotonic()
    home = config.output_dir / datetime.now().strftime("%Y%m%d_%H%M%S")
    home.mkdir(parents=True)
    demo = _Demo(config, home)
    print(f"SoftGrasp: teach a simulated hand to grasp {config.object}, in {home}")
    demo.record()
    demo.train()
    successes = demo.evaluate()
    demo.roll_out()
    demo.draw()
    demo.report(successes, time.monotonic() - start)
    return 0 if successes >= config.required_successes else 1


@dataclass
class _Demo:
    config: DemoConfig
    home: Path

    def __post_init__(self) -> None:
        self.repo_id = f"softgrasp/demo_{self.config.object}"
        self.dataset = self.home / "dataset"
        self.training = self.home / "training"
        self.policy = self.training / "checkpoints" / "last" / "pretrained_model"
        self.evaluation = self.home / "evaluation"
        self.figures = self.home / "figures"

    def record(self) -> None:
        self._run(
            f"1/5 Record {self.config.episodes} demonstrations by the virtual operator, in real time",
            "lerobot-record",
            [
                f"--config_path={config_path('record/demo.yaml')}",
                f"--robot.objects=[{self.config.object}]",
                f"--dataset.repo_id={self.repo_id}",
                f"--dataset.root={self.dataset}",
                f"--dataset.num_episodes={self.config.episodes}",
            ],
            r"(Recording episode \d+|Trial \d+, .*)",
        )

    def train(self) -> None:
        self._run(
            "2/5 Train the policy",
            "lerobot-train",
            [
                f"--config_path={config_path('train/demo.yaml')}",
                f"--dataset.repo_id={self.repo_id}",
                f"--dataset.root={self.dataset}",
                f"--output_dir={self.training}",
            ],
            r"(\d+/\d+ \[[^\]]*\])",
            # One core is the data worker's: a computation that waits for it is slower on two than on one.
            {"OMP_NUM_THREADS": str(max((os.cpu_count() or 2) - 1, 1)), **KEEP_FREED_MEMORY},
        )

    def evaluate(self) -> int:
        self._run(
            f"3/5 Evaluate it in {self.config.eval_episodes} trials",
            "lerobot-eval",
            [
                f"--config_path={config_path('eval/demo.yaml')}",
                f"--policy.path={self.policy}",
                f"--env.task={self.config.object}",
                f"--eval.n_episodes={self.config.eval_episodes}",
                f"--output_dir={self.evaluation}",
            ],
            r"(Running rollout.*|Stepping through.*)",
        )
        overall = json.loads((self.evaluation / "eval_info.json").read_text())["overall"]
        return round(float(overall["pc_success"]) / 100 * self.config.eval_episodes)

    def roll_out(self) -> None:
        lines = self._run(
            "4/5 Roll it out on the simulated robot",
            "lerobot-rollout",
            [
                f"--config_path={config_path('rollout/demo.yaml')}",
                f"--policy.path={self.policy}",
                f"--robot.objects=[{self.config.object}]",
            ],
            r"(Base strategy.*|Trial \d+, .*)",
        )
        for verdict in re.findall(r"Trial \d+, .*", "\n".join(lines)):
            print(f"  {verdict}")

    def draw(self) -> None:
        self._run(
            "5/5 Draw a demonstration and what the policy attends to",
            "softgrasp-plot",
            [
                f"--repo_id={self.repo_id}",
                f"--root={self.dataset}",
                f"--policy_path={self.policy}",
                f"--output_dir={self.figures}",
                "--lift.settle_torque_rate=2.0",  # as in record/demo.yaml
            ],
            r"(.+)",
        )

    def report(self, successes: int, seconds: float) -> None:
        """Print what was made and what to try next."""
        config, trials = self.config, self.config.eval_episodes
        viewer = f"lerobot-dataset-viz --repo-id {self.repo_id} --root {self.dataset} --episode-index 0"
        print(
            f"""
Made in {seconds / 60:.1f} minutes
  dataset     {self.dataset}
  policy      {self.policy}
  evaluation  {self.evaluation / "eval_info.json"}, videos in {self.evaluation / "videos"}
  figures     {self.figures}

Score: {config.object} grasped and held in {successes} of {trials} trials

Next
  {viewer}
      look at what was recorded (needs: pip install 'lerobot[core-scripts]')
  lerobot-record --config_path={config_path("record/simulation.yaml")} --robot.objects='[object_06]'
      record another object: a steel bottle, held from the side
  softgrasp-benchmark --configurations='[operator]' --output_dir=outputs/operator
      the virtual operator on all twelve objects"""
        )
        if successes < config.required_successes:
            print(
                f"\nThat is below the {config.required_successes} of {trials} expected here; "
                f"please report it with the folder {self.home}."
            )

    def _run(
        self,
        title: str,
        command: str,
        arguments: list[str],
        interesting: str,
        environment: dict[str, str] | None = None,
    ) -> list[str]:
        pattern = re.compile(interesting)

        def summarise(line: str) -> str | None:
            match = pattern.search(line)
            return match.group(1) if match else None

        log = self.home / "logs" / f"{command}.log"
        return run_step(title, [console_script(command), *arguments], log, summarise, environment)
