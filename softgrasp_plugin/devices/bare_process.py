"""Helper processes that load one module of this package and little else.

The package's own `__init__` registers everything with LeRobot, and LeRobot imports PyTorch: seconds of
start-up and a gigabyte of memory that a process without a robot of its own has no use for.
"""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

# The packages above the module are made by hand and their __init__ stays unread.
_CODE = """
import sys, types
for name, path in {packages!r}:
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package
from {module} import main
main()
"""


def bare_command(module: str, *arguments: str) -> list[str]:
    """The command line of a process that runs `main()` of a module, which finds its arguments in `sys.argv`.

    Args:
        module: dotted name below this package, such as `devices.arms.ur_process`.
        arguments: of the process.
    """
    parents = module.split(".")[:-1]
    packages = [(_PACKAGE.name, str(_PACKAGE))]
    for depth in range(1, len(parents) + 1):
        name = ".".join([_PACKAGE.name, *parents[:depth]])
        packages.append((name, str(_PACKAGE.joinpath(*parents[:depth]))))
    code = _CODE.format(packages=packages, module=f"{_PACKAGE.name}.{module}")
    return [sys.executable, "-P", "-c", code, *arguments]
