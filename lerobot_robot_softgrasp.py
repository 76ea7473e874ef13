"""Discovery module: LeRobot imports it by the distribution's name, and importing it registers every SoftGrasp
type.
"""

import softgrasp_plugin  # noqa: F401
