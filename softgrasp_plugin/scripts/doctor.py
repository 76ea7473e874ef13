"""`softgrasp-doctor`: what is wrong with this installation and these devices, and what to do about it.

```shell
softgrasp-doctor                                       # the installation
softgrasp-doctor --robot.type=ur3_dexhand --robot.id=hand --robot.hand.type=dynamixel \
    --robot.hand.port=/dev/ttyUSB0                     # and a robot; likewise --teleop.type=force_glove …
softgrasp-doctor --dataset=data/bottle                 # a dataset: whole, columns, units
softgrasp-doctor --dataset=data/bottle --repair=true   # mend it where its recording was cut off
softgrasp-doctor --policy=$HF_USER/policy --dataset=$HF_USER/bottle   # what a policy sees; do they fit
softgrasp-doctor --json=true                           # for a report of a bug
```

Give it the same ``--robot`` and ``--teleop`` options as LeRobot's commands. Every line is green (well), amber
(works, but not as it should) or red (does not work), with the remedy; the exit code is 1 if one is red.
Devices are really connected: empty the hand first, since a hand of Dynamixel motors goes limp for a moment.
The hand holds where it is, and the arm is not moved.
"""

# LeRobot's configurations, and with them PyTorch, take seconds to import; `--help` alone needs none of them.

import sys
from dataclasses import dataclass

from ..bounds import require_within
from ..options import parse_options, refuses_in_words

_OF_DEVICES = """
  --robot.… and --teleop.…, as for lerobot-record. To see them:
      softgrasp-doctor --robot.type=ur3_dexhand --help
      softgrasp-doctor --teleop.type=force_glove --help"""


@refuses_in_words
@dataclass
class DoctorOptions:
    """Options of `softgrasp-doctor` beside the devices'."""

    # How long rates are measured, seconds.
    listen_s: float = 3.0
    # A dataset, its folder or "user/name": say which of its episodes are whole, and whether columns and units
    # are what a policy trains on. Nothing else is looked at then.
    dataset: str | None = None
    # A policy, its folder or "user/name": say what it sees and was trained on, and look at nothing else.
    policy: str | None = None
    # Mend that dataset: keep its whole episodes. What is taken out or rewritten is kept beside it.
    repair: bool = False
    # Print the findings as JSON.
    json: bool = False

    def __post_init__(self) -> None:
        require_within("--listen_s", self.listen_s, 0.5, 600.0, "seconds")
        if self.repair and self.dataset is None:
            raise ValueError("--repair=true needs --dataset=<folder of the dataset>.")


def main() -> None:
    """Entry point of `softgrasp-doctor`."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        try:
            parse_options(DoctorOptions)
        finally:
            print(_OF_DEVICES)
    from .doctor_config import main_with_devices

    main_with_devices()


if __name__ == "__main__":
    main()
