"""Discovery module: LeRobot imports it by the distribution's name, and importing it registers the robots,
teleoperators, cameras, policies and environments of `softgrasp_plugin`.

Only configurations are loaded here. What a configuration describes is imported when LeRobot builds it, so
that a command that does not simulate does not pay for a simulator.
"""

from softgrasp_plugin.envs import config_softgrasp_sim  # noqa: F401
from softgrasp_plugin.envs.registration import register_envs
from softgrasp_plugin.lerobot_internals import TorchcodecInOneLine
from softgrasp_plugin.options import refuses_in_words, registered_configs
from softgrasp_plugin.policies.softgrasp import configuration_softgrasp  # noqa: F401
from softgrasp_plugin.policies.softgrasp_act import configuration_softgrasp_act  # noqa: F401
from softgrasp_plugin.policies.softgrasp_timesformer import configuration_softgrasp_timesformer  # noqa: F401
from softgrasp_plugin.robots import config_ur3_dexhand, config_ur3_dexhand_sim  # noqa: F401
from softgrasp_plugin.simulation import config_simulated_camera  # noqa: F401
from softgrasp_plugin.teleoperators import config_force_glove, config_virtual_operator  # noqa: F401

TorchcodecInOneLine.install()
register_envs()
for _config in registered_configs():
    refuses_in_words(_config)
