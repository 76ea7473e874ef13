"""Devices on a wire without the devices: real protocols, so that the real drivers run unchanged.

Each emulator moves a `plant` (`plant.py`) and can be told to misbehave (`wire.Faults`). The bytes are real;
the physics of the default plant is not meant to be.
"""
