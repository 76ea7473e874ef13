"""The package as a stranger has it: a built wheel in an environment of its own, away from the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def install_wheel(home: Path) -> Path:
    """Build the wheel and install it below `home`; returns the environment's Python.

    LeRobot's packages are there by reference, instead of six gigabytes again.
    """
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(home / "dist"), str(PROJECT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = (home / "dist").glob("lerobot_robot_softgrasp-*.whl")
    venv.create(home / "env", with_pip=True)
    python = home / "env" / "bin" / "python"
    # A checkout on PYTHONPATH would count as the package, and nothing be installed.
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, env=alone)
    (site,) = (home / "env" / "lib").glob("python*/site-packages")
    # A path file adds the packages of this environment but does not run its own path files, so an editable
    # install is not seen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python
