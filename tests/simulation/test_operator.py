from functools import cache

import numpy as np
import pytest

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves.protocol import Glove
from softgrasp_plugin.grasping.action_noise import ActionNoise
from softgrasp_plugin.grasping.lift import LiftConfig, LiftSupervisor
from softgrasp_plugin.simulation.episode import EpisodeConfig, run_operator_episode
from softgrasp_plugin.simulation.glove import FINGER_STIFFNESS, SimulatedGlove
from softgrasp_plugin.simulation.objects import SIM_OBJECTS
from softgrasp_plugin.simulation.operator import OperatorConfig, OperatorModel, OperatorPhase
from softgrasp_plugin.simulation.world import World


@cache
def episode(object_id, seed):
    return run_operator_episode(object_id, seed)


class DeafChannel(FeelChannel):
    """A feel channel whose cable is cut."""

    def latest(self):
        return None


def grasp(world, operator, seconds=8.0):
    supervisor = LiftSupervisor(LiftConfig())
    while not operator.done and world.time < seconds:
        sample = world.hand_sample()
        world.command_hand(operator.expected_closure)
        world.command_lift(supervisor.update(sample.closure, sample.torque, world.time))
        world.step()
    return world.outcome()


@pytest.mark.parametrize("object_id", [1, 4, 8, 10, 11])
def test_the_operator_grasps(object_id):
    result = episode(object_id, 0)
    assert result.outcome.is_success, result.outcome
    assert not result.outcome.is_dropped
    assert 3 < result.duration_s < 10
    assert len(result.action) == len(result.closure) == len(result.torque) == len(result.lift_height_m)
    assert result.lift_height_m[-1] == pytest.approx(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("object_id", SIM_OBJECTS)
def test_the_whole_table_succeeds(object_id):
    results = [run_operator_episode(object_id, seed) for seed in range(100, 105)]
    assert sum(result.outcome.is_success for result in results) >= 4


def test_heavy_looking_objects_are_gripped_harder():
    light, heavy = (episode(object_id, 0).outcome for object_id in (10, 11))
    assert heavy.mean_grip_force_n > 1.5 * light.mean_grip_force_n


def test_without_feedback_the_operator_crushes_what_it_otherwise_holds():
    numb = World(4, 0, feel=DeafChannel())
    assert episode(4, 0).outcome.is_success
    assert grasp(numb, OperatorModel(numb)).is_crushed


def test_the_same_seed_gives_the_same_grasp_and_another_seed_another():
    first, again, other = run_operator_episode(4, 0), episode(4, 0), run_operator_episode(4, 1)
    np.testing.assert_array_equal(first.action, again.action)
    np.testing.assert_array_equal(first.torque, again.torque)
    assert first.outcome == again.outcome
    assert len(first.action) != len(other.action) or not np.allclose(first.action, other.action)


def test_a_reset_operator_repeats_its_grasp():
    world = World(4, 1)
    operator = OperatorModel(world)
    for _ in range(45):
        world.command_hand(operator.expected_closure)
        world.step()
    assert operator.phase is OperatorPhase.GRASPING
    world.reset(seed=0)
    operator.reset(0)
    assert operator.phase is OperatorPhase.PREPARING
    assert grasp(world, operator) == episode(4, 0).outcome


def test_a_grasp_starts_where_the_hand_stands():
    for object_id in SIM_OBJECTS:
        world = World(object_id)
        np.testing.assert_allclose(OperatorModel(world).expected_closure, world.initial_closure, atol=2e-3)


def test_the_label_stays_clean_when_the_executed_command_is_shaken():
    waits = OperatorConfig(prepare_s=0.5)
    clean, shaken = (
        run_operator_episode(1, 0, EpisodeConfig(operator=waits, action_noise=noise))
        for noise in (0.0, 0.004)
    )
    resting = slice(0, 12)  # before the person moves
    np.testing.assert_array_equal(clean.action[resting], shaken.action[resting])
    assert np.abs(clean.closure[resting] - shaken.closure[resting]).max() > 0.001


def test_action_noise_is_slow_and_has_the_wanted_width():
    noise = ActionNoise(0.004, seed=0)
    values = np.stack([noise.step() for _ in range(20_000)])
    np.testing.assert_allclose(values[100:].std(axis=0), [0.004] * 5 + [0.0012], rtol=0.1)
    assert np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1] == pytest.approx(0.9, abs=0.02)
    np.testing.assert_array_equal(ActionNoise(0.004, 7).step(), ActionNoise(0.004, 7).step())
    with pytest.raises(ValueError, match="std"):
        ActionNoise(-0.1, 0)


def test_an_idle_operator_holds_still_and_a_guided_one_follows():
    world = World(1, 0)
    operator = OperatorModel(world)
    operator.is_active = False
    before = operator.expected_closure
    for _ in range(60):
        world.step()
    np.testing.assert_allclose(operator.expected_closure, before, atol=1e-6)
    goal = before + 0.1
    for _ in range(30):
        operator.guide(goal)
        world.step()
    np.testing.assert_allclose(operator.expected_closure, goal, atol=5e-3)


def test_a_detached_operator_is_gone():
    world = World(1, 0)
    operator = OperatorModel(world)
    operator.detach()
    assert world.listeners == []
    assert not operator.glove.is_connected


class TestGlove:
    def test_it_is_a_glove(self):
        glove: Glove = SimulatedGlove()
        glove.connect()
        assert glove.is_connected
        glove.disconnect()
        assert not glove.is_connected

    def test_a_free_finger_goes_where_it_is_wanted_and_feels_nothing(self):
        glove = SimulatedGlove()
        for _ in range(60):
            glove.advance(np.full(6, 0.5), 1 / 120)
        np.testing.assert_allclose(glove.read().angle, 0.5, atol=1e-6)
        assert (glove.felt_torque == 0).all()
        assert glove.read().timestamp == pytest.approx(0.5)

    def test_a_lock_holds_what_it_can_and_no_more(self):
        push = 2.0
        intention = np.full(6, push / FINGER_STIFFNESS)
        strong, weak = SimulatedGlove(), SimulatedGlove()
        for _ in range(120):
            strong.render(np.full(6, 5.0), np.zeros(6))
            weak.render(np.full(6, 0.5), np.zeros(6))
            strong.advance(intention, 1 / 120)
            weak.advance(intention, 1 / 120)
        np.testing.assert_allclose(strong.felt_torque, push, rtol=0.01)
        assert strong.angle.max() < 1e-3
        np.testing.assert_allclose(weak.felt_torque, 0.5)
        np.testing.assert_allclose(weak.angle, (push - 0.5) / FINGER_STIFFNESS, rtol=0.01)

    def test_a_released_glove_is_free_at_once(self):
        glove = SimulatedGlove()
        glove.render(np.full(6, 5.0), np.zeros(6))
        glove.release()
        glove.advance(np.full(6, 0.2), 1 / 120)
        assert (glove.felt_torque == 0).all()
        assert (glove.angle > 0).all()
