"""A colour per joint and per modality, the same in figures, films and the live viewer.

Colours are those of Okabe and Ito, which readers with any colour vision tell apart, lightly muted for print.
"""

from .joints import JOINTS

JOINT_COLORS: dict[str, str] = dict(
    zip(JOINTS, ("#3b6ea8", "#5aa9d6", "#2e8b74", "#d99a1c", "#c4572e", "#a8628f"), strict=True)
)
MODALITY_COLORS: dict[str, str] = {"image": "#3b6ea8", "torque": "#c4572e", "angle": "#2e8b74"}
