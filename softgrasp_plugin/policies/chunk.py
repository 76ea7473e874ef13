"""Bounds of the fields with which a policy predicts several moments at once; the same for every policy."""

from ..bounds import require_within

_MOST_MOMENTS = 1000
_LARGEST_EXPONENT = 80.0  # e⁸⁰ is still a number in float32


def check_chunk(chunk_size: int, n_action_steps: int, temporal_ensemble_coeff: float | None) -> None:
    """Check the fields of a configuration that have these names.

    Raises:
        ValueError: naming the field. A weight exp(-m·i) of temporal ensembling that overflows is one.
    """
    require_within("chunk_size", chunk_size, 1, _MOST_MOMENTS)
    require_within("n_action_steps", n_action_steps, 1, _MOST_MOMENTS)
    if temporal_ensemble_coeff is not None:
        steepest = _LARGEST_EXPONENT / chunk_size
        require_within("temporal_ensemble_coeff", temporal_ensemble_coeff, -steepest, _LARGEST_EXPONENT)
