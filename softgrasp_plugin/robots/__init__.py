"""UR3 with a dexterous hand as LeRobot robots."""

from .config_ur3_dexhand import UR3DexHandConfig
from .config_ur3_dexhand_sim import UR3DexHandSimConfig

__all__ = ["UR3DexHandConfig", "UR3DexHandSimConfig"]
