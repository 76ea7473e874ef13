"""SoftGrasp as a LeRobot plugin: importing it registers the robots, teleoperators, cameras, policies and
environments.

Only configurations are loaded here. What a configuration describes is imported when LeRobot builds it, so
that a command that does not simulate does not pay for a simulator.
"""

from . import envs, policies, robots, simulation, teleoperators  # noqa: F401
from .options import refuses_in_words, registered_configs

for _config in registered_configs():
    refuses_in_words(_config)
