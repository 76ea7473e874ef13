"""Where the ready-made configurations are: beside the package in a checkout, under the environment's `share`
when installed.
"""

import sysconfig
from pathlib import Path


def config_path(name: str) -> Path:
    """Path of one of the files in `hub_configs/`, for instance `train/demo.yaml`.

    Raises:
        FileNotFoundError: if the file is in neither place.
    """
    places = [
        Path(__file__).parents[1] / "hub_configs",
        Path(sysconfig.get_path("data")) / "share" / "softgrasp" / "hub_configs",
    ]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(
        f"hub_configs/{name} was not found in {' or '.join(map(str, places))}; reinstall the package."
    )
