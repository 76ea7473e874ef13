"""Configuration of `my_policy`: what it sees, what it predicts and its loss are inherited."""

from dataclasses import dataclass

from lerobot.configs import PreTrainedConfig

from softgrasp_plugin.policies.stack_config import StackConfig


@PreTrainedConfig.register_subclass("my_policy")
@dataclass
class MyConfig(StackConfig):
    """`lerobot-train --policy.type=my_policy`; the options of `StackConfig` and one more.

    Attributes:
        width: of every feature.
    """

    width: int = 64
