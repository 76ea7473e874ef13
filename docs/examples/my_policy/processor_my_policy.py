"""Normalisation, with the floors that keep a joint which stood still in training from exploding."""

from softgrasp_plugin.policies.processors import make_floored_processors


def make_my_policy_pre_post_processors(config, dataset_stats=None):
    """LeRobot finds it by its name."""
    return make_floored_processors(config, dataset_stats)
