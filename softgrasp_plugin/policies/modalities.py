"""The senses of a policy, by the names that options, checkpoints and reports have for them."""

IMAGE, ANGLE, TORQUE = "image", "angle", "torque"
MODALITIES: tuple[str, ...] = (IMAGE, ANGLE, TORQUE)
