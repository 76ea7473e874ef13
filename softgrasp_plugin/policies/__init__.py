"""Policies of the SoftGrasp plugin; importing it registers their configurations and loads no model."""

from .softgrasp.configuration_softgrasp import SoftGraspConfig

__all__ = ["SoftGraspConfig"]
