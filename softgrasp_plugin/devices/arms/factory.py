"""From a configuration to an arm."""

from .bench_mount import BenchMount
from .config import ArmConfig, NoArmConfig, URArmConfig
from .protocol import Arm


def make_arm(config: ArmConfig) -> Arm:
    """The arm that a configuration describes; what it needs is imported only now.

    Raises:
        ValueError: for a type that no arm here has.
    """
    if isinstance(config, NoArmConfig):
        return BenchMount()
    if isinstance(config, URArmConfig):
        from .ur import URArm

        return URArm(config)
    raise ValueError(f"No driver for arms of type {config.type!r}; known types: none, ur.")
