"""Windows and macOS: simulation, training, evaluation, the bridge glove and the doctor need nothing of Linux.

A stand-in for those systems, in a process of its own: the modules and functions that they lack are taken
away. Other people's libraries are loaded before, since they have versions for every system.
"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

LINUX_ONLY = {
    "softgrasp_plugin.emulators",  # pseudo terminals
    "softgrasp_plugin.scripts.emulate",
}

ELSEWHERE = """
import importlib, os, pkgutil, signal, sys
import draccus, matplotlib.pyplot, mujoco, serial.tools.list_ports, torchvision
import lerobot.motors.dynamixel, lerobot.datasets, lerobot.policies, lerobot.robots
for name in ("termios", "fcntl", "tty", "pty", "resource"):
    sys.modules[name] = None
del signal.SIGHUP
for name in [name for name in vars(os) if name.startswith(("sched_", "SCHED_"))]:
    delattr(os, name)
sys.platform = "win32"
import lerobot_robot_softgrasp, softgrasp_plugin
"""


def run_elsewhere(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", ELSEWHERE + code], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def test_every_module_is_imported_and_the_linux_only_ones_say_so() -> None:
    output = run_elsewhere(
        """
for module in pkgutil.walk_packages(softgrasp_plugin.__path__, "softgrasp_plugin."):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        print(f"{module.name}: {type(error).__name__}: {error}")
"""
    )
    for line in output.splitlines():
        name, _, reason = line.partition(": ")
        assert any(name == only or name.startswith(f"{only}.") for only in LINUX_ONLY), line
        assert "only Linux and macOS have" in reason, line
    assert "softgrasp_plugin.emulators.wire" in output


def test_a_simulated_grasp_and_a_bridge_glove_run() -> None:
    output = run_elsewhere(
        """
from softgrasp_plugin.joints import CLOSURE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.simulation.config_simulated_camera import SimulatedCameraConfig
camera = SimulatedCameraConfig(width=32, height=24)
robot = UR3DexHandSim(UR3DexHandSimConfig(id="sim", cameras={"side": camera}))
robot.connect()
for step in range(30):
    robot.send_action(dict.fromkeys(CLOSURE_KEYS, step / 60))
    robot.get_observation()
robot.disconnect()

from softgrasp_plugin.teleoperators.config_force_glove import ForceGloveConfig
from softgrasp_plugin.teleoperators.force_glove import ForceGlove
from softgrasp_plugin.devices.gloves.config import BridgeGloveConfig
glove = ForceGlove(ForceGloveConfig(id="bridge", glove=BridgeGloveConfig(udp_port=0)))
try:
    glove.connect(calibrate=False)
except ConnectionError as error:
    print("bridge:", error)  # nobody speaks on the other side
else:
    print("bridge: connected")
    glove.disconnect()
print("done")
"""
    )
    assert "bridge:" in output
    assert output.endswith("done\n")
