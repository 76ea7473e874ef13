"""A policy of one's own, as a plugin: see docs/extend.md. LeRobot finds the three files by their names."""
