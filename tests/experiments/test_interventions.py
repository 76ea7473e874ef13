import numpy as np
import pytest

from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.experiments.interventions import Donor, Intervene, donor_episode
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, KINDS, PROFILES, Demonstrations, Intervention
from softgrasp_plugin.policies.modalities import MODALITIES

DONOR = Donor(
    np.linspace(0.1, 0.6, 36).reshape(3, 12),
    np.full((3, 24, 32, 3), [[[[9]]], [[[99]]], [[[199]]]], np.uint8),
)


def perceive(modality, kind, ticks=60):
    """What the policy is told and what is true, after the hand has closed on the object."""
    env = SoftGraspSimEnv("object_04", height=24, width=32)
    change = Intervene(Intervention(modality, kind), DONOR)
    first, _ = env.reset(seed=7)
    change(first)
    action = np.concatenate([first["agent_pos"][:6], np.zeros(6)])
    for _ in range(ticks):
        action[:6] = np.minimum(action[:6] + 0.008, 0.7)
        true, *_ = env.step(action.astype(np.float32))
        told = change(true)
    return first, told, true


def split(observation):
    return {
        "image": observation["pixels"]["side"],
        "angle": observation["agent_pos"][:6],
        "torque": observation["agent_pos"][6:],
    }


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("kind", KINDS)
def test_one_modality_changes_and_the_others_do_not(modality, kind):
    first, told, true = (split(entry) for entry in perceive(modality, kind))
    assert true["torque"].max() > 0.5, "the hand touches"
    for name in MODALITIES:
        if name != modality:
            np.testing.assert_array_equal(told[name], true[name])
    expected = {
        "zero": np.zeros_like(true[modality]),
        "freeze": first[modality],
        "double": np.minimum(2.0 * true[modality], {"image": 255, "angle": 1.0, "torque": np.inf}[modality]),
        "swap": split({"pixels": {"side": DONOR.images[-1]}, "agent_pos": DONOR.state[-1]})[modality],
    }[kind]
    np.testing.assert_allclose(told[modality], expected, rtol=1e-6)
    assert told[modality].dtype == true[modality].dtype
    assert not np.array_equal(told[modality], true[modality])


def test_swapping_needs_somebody_to_swap_with():
    with pytest.raises(ValueError, match="recorded episode"):
        Intervene(Intervention("torque", "swap"))


@pytest.mark.parametrize("kind", sorted({entry.demonstrations for entry in CONFIGURATIONS.values()}))
@pytest.mark.parametrize("profile", ["quick", "short"])
def test_a_donor_was_recorded_with_another_object(profile: str, kind: Demonstrations) -> None:
    recorded = PROFILES[profile].demonstrations(kind)
    for task in PROFILES[profile].tasks:
        for seed in range(1000, 1050):
            episode = donor_episode(recorded, task, seed)
            assert 0 <= episode < recorded.num_episodes
            assert recorded.objects[episode % len(recorded.objects)] != task
