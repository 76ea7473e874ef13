"""The one place that imports MuJoCo.

MuJoCo picks its OpenGL backend when it is first imported, and a backend whose system library is absent breaks
that import even for programs that never draw with OpenGL. The ray camera needs none, so unless the user chose
a backend with `MUJOCO_GL`, none is loaded.
"""

import os

os.environ.setdefault("MUJOCO_GL", "disable")

try:
    import mujoco
except (ImportError, AttributeError) as error:
    raise ImportError(
        f"MuJoCo could not be imported with MUJOCO_GL={os.environ['MUJOCO_GL']!r} ({error}). The built-in "
        "camera needs no OpenGL: unset MUJOCO_GL, or set MUJOCO_GL=disable, and start again."
    ) from error

__all__ = ["mujoco"]
