"""Dynamixel motors that feel: LeRobot's bus with current read beside position, for hands and gloves."""

from .bus import ForceMotorsBus
from .models import MOTOR_MODELS, MotorModel, force_model
from .state import BusState, hardware_error_text

__all__ = ["MOTOR_MODELS", "BusState", "ForceMotorsBus", "MotorModel", "force_model", "hardware_error_text"]
