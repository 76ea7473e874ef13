"""Finding the joint columns of a dataset vector by name.

`lerobot-record` merges every float feature of a robot into one `observation.state` and one `action` vector;
which column is which joint is written only in the feature's names.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def feature_names(features: Mapping[str, Mapping[str, Any]], feature: str) -> list[str]:
    """Read the column names of a vector feature from a dataset's metadata.

    Args:
        features: `LeRobotDatasetMetadata.features`.
        feature: the feature's key, `observation.state` or `action`.

    Returns:
        One name per column. Both spellings found in LeRobot datasets are read: a list, and a dict holding one
        list.

    Raises:
        ValueError: if the dataset has no such feature, or the feature has no names.
    """
    if feature not in features:
        raise ValueError(f"The dataset has no feature {feature!r}, only {sorted(features)}.")
    names = features[feature].get("names")
    if isinstance(names, Mapping) and len(names) == 1:
        names = next(iter(names.values()))
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        raise ValueError(
            f"The columns of {feature!r} have no names (found {names!r}), so joints cannot be told apart. "
            "Record with a SoftGrasp robot, or write the names into the dataset's meta/info.json."
        )
    return [str(name) for name in names]


def find_columns(names: Sequence[str], keys: Sequence[str], feature: str) -> list[int]:
    """Find the column of every key, whatever the order of the columns.

    Args:
        names: column names of the feature.
        keys: the names to find, in the order in which the columns are wanted.
        feature: the feature's key, for the error message.

    Returns:
        One column index per key.

    Raises:
        ValueError: if a key is missing or occurs twice.
    """
    missing = [key for key in keys if key not in names]
    if missing:
        raise ValueError(
            f"{feature!r} lacks the columns {missing}; it has {list(names)}. "
            "This policy needs the keys that a SoftGrasp robot records, spelled exactly so."
        )
    repeated = [key for key in keys if list(names).count(key) > 1]
    if repeated:
        raise ValueError(f"{feature!r} has the columns {repeated} more than once: {list(names)}.")
    return [list(names).index(key) for key in keys]


def check_columns(field_name: str, columns: Sequence[int] | None, keys: Sequence[str], width: int) -> None:
    """Check that a configuration's columns are known and lie inside the vector.

    Args:
        field_name: the configuration's field, for the error message.
        columns: its value.
        keys: the channels whose columns they are.
        width: number of columns of the vector.

    Raises:
        ValueError: if the columns are unknown, repeated, too few or outside.
    """
    if columns is None:
        raise ValueError(
            f"`{field_name}` is unknown. Build the policy with LeRobot's make_policy and a dataset, which "
            "finds the columns by name, or call `config.set_dataset_feature_metadata(dataset.meta.features)`."
        )
    if len(set(columns)) != len(keys) or not all(0 <= column < width for column in columns):
        raise ValueError(
            f"`{field_name}` must hold {len(keys)} different columns of a vector of {width}, got {columns}."
        )
