"""The physics simulation of the rig."""
