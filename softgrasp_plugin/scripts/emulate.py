"""`softgrasp-emulate`: the hardware path at your desk, with nothing plugged in.

```shell
softgrasp-emulate                      # leave it running and follow what it prints
softgrasp-emulate --object=object_06 --hand=inspire_serial --glove=doglove --arm=ur3 --camera=zmq
```

It opens emulated wires for a hand, a glove and (with ``--arm`` and ``--camera``) a UR controller and a
camera, and runs the simulated world between them: a simulated person in the glove grasps a simulated object
through the real drivers, again and again, while one of LeRobot's commands is connected. Ready-made
configurations for these commands go to ``--output_dir``. Ctrl-C ends it.
"""

# The emulators, MuJoCo and PyTorch take seconds to import; they are imported where something is done.

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bounds import require_within
from ..devices.arms.config import RATES_HZ
from ..emulators.device_types import GLOVE_TYPES, HAND_TYPES
from ..grasping.objects import TASK_DESCRIPTION, TASKS
from ..options import parse_options, refuses_in_words
from ..simulation.catalogue import SIM_OBJECT_BY_TASK

if TYPE_CHECKING:
    from ..emulators.rig import EmulatedRig

_DEVICE_ID = "emulated"
_CAMERAS = ("none", "zmq", "realsense")
_CAMERA_FPS = 30
_STATUS_PERIOD_S = 1.0


@refuses_in_words
@dataclass
class EmulateConfig:
    """Options of `softgrasp-emulate`."""

    # The object on the table, object_01 … object_12 of Table 2 of the paper, or random_01 … random_66.
    object: str = TASKS[0]
    # Decides everything that is random about objects and person.
    seed: int = 0
    # The hand: dynamixel; or an RH56: inspire_serial, inspire_modbus_rtu, inspire_modbus_tcp.
    hand: str = HAND_TYPES[0]
    # The glove: dynamixel; doglove, with its encoder board; or bridge, with a glove program.
    glove: str = GLOVE_TYPES[0]
    # The arm: none, ur3 or ur3e. An arm needs the extra `ur` and a free loopback address.
    arm: str = "none"
    # Address of the UR controller; its ports are fixed.
    arm_host: str = "127.0.0.3"
    # The camera: none; zmq, which LeRobot's network camera reads (needs lerobot[pyzmq-dep]); or realsense,
    # for LeRobot's RealSense camera (needs pyrealsense2 too, and commands are started by a longer line).
    camera: str = "none"
    # Size of the camera's pictures, pixels.
    camera_width: int = 320
    camera_height: int = 240
    # Where configurations and calibrations are written.
    output_dir: Path = Path("outputs/emulated")

    def __post_init__(self) -> None:
        for name, choices in (
            ("object", tuple(SIM_OBJECT_BY_TASK)),
            ("hand", HAND_TYPES),
            ("glove", GLOVE_TYPES),
            ("arm", ("none", *RATES_HZ)),
            ("camera", _CAMERAS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"--{name} is one of {', '.join(choices)}; got {getattr(self, name)!r}.")
        for name in ("camera_width", "camera_height"):
            require_within(f"--{name}", getattr(self, name), 16, 1920, "pixels")
        require_within("--seed", self.seed, 0, 2**32 - 1)


@contextmanager
def emulated_rig(config: EmulateConfig) -> "Iterator[EmulatedRig]":
    """A running rig, with the files that let LeRobot's commands use it in `config.output_dir`."""
    from ..emulators.arm import EmulatedArm
    from ..emulators.camera import EmulatedCamera
    from ..emulators.rig import EmulatedRig

    object_id = SIM_OBJECT_BY_TASK[config.object].object_id
    with ExitStack() as stack:
        arm = camera = None
        if config.arm != "none":
            arm = stack.enter_context(EmulatedArm(config.arm_host, config.arm))
        if config.camera != "none":
            size = (config.camera_width, config.camera_height)
            camera = stack.enter_context(EmulatedCamera(object_id, *size, _CAMERA_FPS))
        rig = stack.enter_context(EmulatedRig(object_id, config.seed, config.hand, config.glove, arm, camera))
        write_files(config, rig)
        yield rig


def write_files(config: EmulateConfig, rig: "EmulatedRig") -> None:
    """Write calibrations, and configurations for lerobot-teleoperate and lerobot-record."""
    folder = config.output_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"robot_{_DEVICE_ID}.json").write_text(rig.hand_calibration.to_json())
    glove = {joint: asdict(entry) for joint, entry in rig.glove.calibration.items()}
    if glove:
        (folder / f"glove_{_DEVICE_ID}.json").write_text(json.dumps(glove, indent=4))
    devices = _devices(config, rig, folder)
    record = {
        **devices,
        "dataset": {
            "repo_id": "softgrasp/emulated",
            "root": str(folder / "dataset"),
            "single_task": TASK_DESCRIPTION,
            "num_episodes": 1,
            "episode_time_s": 12,
            "reset_time_s": 0,
            "push_to_hub": False,
        },
        "play_sounds": False,
    }
    (folder / "rig.json").write_text(json.dumps(devices, indent=4))
    (folder / "record.json").write_text(json.dumps(record, indent=4))


def _devices(config: EmulateConfig, rig: "EmulatedRig", folder: Path) -> dict[str, Any]:
    from ..emulators.arm import GRASP_JOINTS

    arm: dict[str, Any] = {"type": "none"}
    if config.arm != "none":
        arm = {
            "type": "ur",
            "host": config.arm_host,
            "model": config.arm,
            "grasp_joints": list(GRASP_JOINTS),
        }
    return {
        "robot": {
            "type": "ur3_dexhand",
            "id": f"robot_{_DEVICE_ID}",
            "calibration_dir": str(folder),
            "hand": {"type": rig.hand_config.type, **asdict(rig.hand_config)},
            "arm": arm,
            "cameras": _cameras(config, rig),
        },
        "teleop": {
            "type": "force_glove",
            "id": f"glove_{_DEVICE_ID}",
            "calibration_dir": str(folder),
            "glove": {"type": rig.glove_config.type, **asdict(rig.glove_config)},
        },
    }


def _cameras(config: EmulateConfig, rig: "EmulatedRig") -> dict[str, Any]:
    from ..emulators.camera import CAMERA_NAME
    from ..emulators.realsense import SERIAL_NUMBER

    if rig.camera is None:
        return {}
    kind: dict[str, Any] = {"type": "intelrealsense", "serial_number_or_name": SERIAL_NUMBER}
    if config.camera == "zmq":
        kind = {"type": "zmq", "server_address": "127.0.0.1", "port": rig.camera.port}
        kind["camera_name"] = CAMERA_NAME
    return {"side": {**kind, "width": rig.camera.width, "height": rig.camera.height, "fps": rig.camera.fps}}


def launcher(config: EmulateConfig, rig: "EmulatedRig") -> list[str]:
    """What goes before a command of LeRobot so that it finds the emulated devices."""
    if config.camera != "realsense" or rig.camera is None:
        return []
    options = {"port": rig.camera.port, "width": rig.camera.width, "height": rig.camera.height}
    module = "softgrasp_plugin.emulators.realsense"
    return [sys.executable, "-m", module, *(f"--{name}={value}" for name, value in options.items())]


def run(config: EmulateConfig) -> None:
    """Run until Ctrl-C."""
    with emulated_rig(config) as rig:
        try:
            folder = config.output_dir
            start = " ".join([*launcher(config, rig), ""])
            print(
                f"hand   {rig.hand_config.type:<18} on {rig.hand_address}\n"
                f"glove  {rig.glove_config.type:<18} on {rig.glove.address}\n"
                f"arm    {config.arm:<18} {'' if config.arm == 'none' else 'at ' + config.arm_host}\n"
                f"camera {config.camera:<18} {'' if rig.camera is None else f'on port {rig.camera.port}'}\n\n"
                "In another terminal:\n\n"
                f"  {start}softgrasp-doctor    --config_path={folder}/rig.json\n"
                f"  {start}lerobot-teleoperate --config_path={folder}/rig.json --teleop_time_s=30\n"
                f"  {start}lerobot-record      --config_path={folder}/record.json\n\n"
                "Ctrl-C ends the emulation.\n",
                flush=True,
            )
            while True:
                time.sleep(_STATUS_PERIOD_S)
                rig.check()
                _show(rig)
        except KeyboardInterrupt:
            print("\nUnplugged.")


def _show(rig: "EmulatedRig") -> None:
    grip = rig.world.hand_sample().torque
    phase = rig.person.phase if rig.person.is_active else "waiting for a command"
    print(
        f"\r{phase:<22} grip {grip.max():4.1f} N   glove {rig.glove_force_n.max():4.1f} N   "
        f"lifted {1e3 * rig.world.lift_height_m:3.0f} mm   grasps {rig.trials}  ",
        end="",
        flush=True,
    )


def main() -> None:
    """Entry point of `softgrasp-emulate`."""
    config = parse_options(EmulateConfig)
    from lerobot.utils.utils import init_logging

    init_logging()
    logging.getLogger().setLevel(logging.WARNING)
    run(config)


if __name__ == "__main__":
    main()
