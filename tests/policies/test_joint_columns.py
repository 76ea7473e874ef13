import pytest

from softgrasp_plugin.joints import CLOSURE_KEYS, STATE_KEYS, TORQUE_KEYS
from softgrasp_plugin.policies.joint_columns import feature_names, find_columns


def test_columns_follow_the_wanted_order_not_the_dataset_order() -> None:
    names = list(reversed(STATE_KEYS))
    columns = find_columns(names, TORQUE_KEYS, "action")
    assert [names[column] for column in columns] == list(TORQUE_KEYS)
    assert columns != sorted(columns)


def test_other_columns_are_ignored() -> None:
    names = ["shoulder.pos", *STATE_KEYS]
    assert find_columns(names, CLOSURE_KEYS, "action") == [1, 2, 3, 4, 5, 6]


def test_missing_column_is_named() -> None:
    names = [key for key in STATE_KEYS if key != "thumb_swing_torque.pos"]
    with pytest.raises(ValueError, match=r"lacks the columns \['thumb_swing_torque.pos'\]"):
        find_columns(names, TORQUE_KEYS, "observation.state")


def test_repeated_column_is_refused() -> None:
    with pytest.raises(ValueError, match="more than once"):
        find_columns([*STATE_KEYS, "index_bend.pos"], CLOSURE_KEYS, "action")


@pytest.mark.parametrize("names", [list(STATE_KEYS), {"motors": list(STATE_KEYS)}])
def test_both_spellings_of_names_are_read(names: object) -> None:
    assert feature_names({"action": {"names": names}}, "action") == list(STATE_KEYS)


@pytest.mark.parametrize("names", [None, [], "little_bend.pos", {"a": ["x"], "b": ["y"]}])
def test_a_feature_without_names_is_refused(names: object) -> None:
    with pytest.raises(ValueError, match="have no names"):
        feature_names({"action": {"names": names}}, "action")


def test_a_missing_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="no feature 'action'"):
        feature_names({"observation.state": {"names": ["x"]}}, "action")
