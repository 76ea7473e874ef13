"""Policies of the SoftGrasp plugin; importing it registers their configurations and loads no model."""

from .softgrasp.configuration_softgrasp import SoftGraspConfig
from .softgrasp_act.configuration_softgrasp_act import SoftGraspACTConfig
from .softgrasp_timesformer.configuration_softgrasp_timesformer import SoftGraspTimeSformerConfig

__all__ = ["SoftGraspACTConfig", "SoftGraspConfig", "SoftGraspTimeSformerConfig"]
