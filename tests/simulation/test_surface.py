"""One object with the contact of another material: the same to the eye, another thing to the hand."""

import numpy as np
import pytest

from softgrasp_plugin.simulation.episode import EpisodeConfig, run_operator_episode
from softgrasp_plugin.simulation.objects import SURFACES
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.variation import HIDDEN_VARIATION
from softgrasp_plugin.simulation.world import World


def squeeze(world: World, closure: float = 0.02) -> float:
    """Newtons on the object after closing by `closure` past first touch of thumb and fingers."""
    command = world.initial_closure
    command[5] = 0.93
    for _ in range(30):
        world.command_hand(command)
        world.step()
    while not (world.touch.force_n[4] > 0 and world.touch.force_n[:4].any()):
        gaps = world.digit_gaps()
        command[:5] += np.where(gaps > 0, 0.002, 0.0)
        world.command_hand(command)
        world.step()
    command[:5] += closure
    for _ in range(30):
        world.command_hand(command)
        world.step()
    return float(world.touch.force_n.sum())


@pytest.mark.parametrize("object_id", [1, 4])
def test_same_picture_mass_and_size_but_another_force_at_the_same_squeeze(object_id: int) -> None:
    soft, rigid = (
        World(object_id, 2, settings=WorldSettings(surface=name)) for name in ("TPE", "stainless steel")
    )
    np.testing.assert_array_equal(soft.render(48, 64), World(object_id, 2).render(48, 64))
    np.testing.assert_array_equal(soft.render(48, 64), rigid.render(48, 64))
    for name in ("mass_kg", "scale", "yaw"):
        assert getattr(soft.object_state, name) == getattr(rigid.object_state, name)
    assert squeeze(rigid) > 2.0 * squeeze(soft)


def test_the_own_material_changes_nothing() -> None:
    own, named = World(3, 1), World(3, 1, settings=WorldSettings(surface="TPE"))
    assert squeeze(own) == squeeze(named)


def test_crush_limit_is_that_of_the_surface() -> None:
    def crushed(surface: str) -> bool:
        world = World(3, 0, settings=WorldSettings(surface=surface))
        command = world.initial_closure
        command[5] = 0.93
        for _ in range(150):
            command[:5] = np.minimum(command[:5] + 0.006, 0.9)
            world.command_hand(command)
            world.step()
        assert world.outcome().peak_grip_force_n > 10
        return world.outcome().is_crushed

    assert crushed("TPE")
    assert not crushed("stainless steel")


def test_hidden_variation_and_surface_go_together() -> None:
    surface = SURFACES["PC"]
    variation = HIDDEN_VARIATION
    own, other = (
        World(3, 5, settings=WorldSettings(variation=variation)),
        World(3, 5, settings=WorldSettings(variation=variation, surface="PC")),
    )
    factor = own.object_state.stiffness_n_per_m / SURFACES["TPE"].stiffness_n_per_m
    assert other.object_state.stiffness_n_per_m == pytest.approx(factor * surface.stiffness_n_per_m)
    assert other.object_state.mass_kg == own.object_state.mass_kg
    assert factor != 1


@pytest.mark.parametrize("surface", ["TPE", "stainless steel"])
def test_a_person_grasps_an_object_presented_soft_and_rigid(surface: str) -> None:
    outcome = run_operator_episode(4, 0, EpisodeConfig(world=WorldSettings(surface=surface))).outcome
    assert outcome.is_success
    assert (outcome.mean_grip_force_n > 10) == (surface == "stainless steel")


def test_an_unknown_surface_is_refused() -> None:
    with pytest.raises(ValueError, match=r"surface must be one of .*TPE.*; got 'jelly'"):
        World(1, settings=WorldSettings(surface="jelly"))
