"""What the paper measured on its robot, by the benchmark's names of configurations."""

FACTOR_SUCCESSES: dict[float, int] = {0.0: 82, 0.05: 96, 0.1: 118, 0.15: 88, 0.2: 86, 0.3: 79, 0.5: 46}
"""Successes of 120 by loss factor λ (SoftGrasp, Table 4)."""

MODALITY_PERCENT: dict[str, int] = {
    "image": 46,
    "angle": 34,
    "torque": 0,
    "image_angle": 33,
    "image_torque": 43,
    "angle_torque": 28,
    "softgrasp": 98,
}
"""Average success by modalities (SoftGrasp, Table 5)."""

STRATEGY_SUCCESSES: dict[str, tuple[int, ...]] = {
    "softgrasp": (10, 10, 10, 10, 10, 10, 10, 8, 10, 10, 10, 10),
    "concat": (4, 0, 0, 3, 0, 0, 6, 0, 3, 0, 0, 0),
    "act": (10, 9, 10, 10, 10, 10, 10, 10, 9, 10, 7, 4),
    "timesformer": (10, 6, 5, 9, 9, 8, 9, 10, 10, 9, 7, 3),
}
"""Successes of 10 with each of the twelve objects (SoftGrasp, Table 6)."""

TRIALS_PER_OBJECT = 10
TOTAL_TRIALS = 120


def strategy_rate(name: str) -> float:
    """Share of all trials of Table 6 in which a strategy succeeded."""
    return sum(STRATEGY_SUCCESSES[name]) / TOTAL_TRIALS
