"""Where the ready-made configurations are: beside the package in a checkout, under the environment's `share`
when installed. `python -m softgrasp_plugin.hub_configs` prints the folder.
"""

import sysconfig
from pathlib import Path


def config_folder() -> Path:
    """The folder `hub_configs/`.

    Raises:
        FileNotFoundError: if it is in neither place.
    """
    places = [
        Path(__file__).parents[1] / "hub_configs",
        Path(sysconfig.get_path("data")) / "share" / "softgrasp" / "hub_configs",
    ]
    for place in places:
        if (place / "train").is_dir():
            return place
    raise FileNotFoundError(
        f"hub_configs was not found as {' or '.join(map(str, places))}; reinstall the package."
    )


def config_path(name: str) -> Path:
    """Path of one of the files in `hub_configs/`, for instance `train/demo.yaml`.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    path = config_folder() / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; reinstall the package.")
    return path


if __name__ == "__main__":
    print(config_folder())
