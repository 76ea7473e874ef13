import numpy as np
import pytest

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.simulation.devices import SimulatedArm, SimulatedHand
from softgrasp_plugin.simulation.hand import swing_closure
from softgrasp_plugin.simulation.objects import SIM_OBJECTS
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.world import World

CLOSED_SWING = swing_closure(95)


def close_until(world, stop, speed=0.25, seconds=8.0):
    """Close all digits at a constant rate until `stop(world)`, thumb after the swing; the last command."""
    command = world.initial_closure
    for _ in range(int(seconds * world.fps)):
        command[5] = min(command[5] + 1.2 / world.fps, CLOSED_SWING)
        if command[5] >= CLOSED_SWING:
            command[:5] += speed / world.fps
        world.command_hand(command)
        world.step()
        if stop(world):
            break
    return command


def lift(world):
    for tick in range(1, 46):
        world.command_lift(0.1 * min(tick / 40, 1.0))
        world.step()
    for _ in range(world.fps + 5):
        world.step()
    return world.outcome()


def grip_of(force_n):
    """Thumb and fingers both press, together with this force."""
    return lambda world: world.touch.force_n[4] > 0.3 * force_n and world.touch.force_n.sum() > force_n


def test_one_step_is_one_tick_at_any_rate():
    for fps in (10, 30, 60):
        world = World(fps=fps)
        for _ in range(fps):
            world.step()
        assert world.time == pytest.approx(1.0)
        assert world.data.time == pytest.approx(1.0)


@pytest.mark.parametrize("fps", [0, -30, 25, 50, 240])
def test_rates_that_do_not_divide_are_refused(fps):
    with pytest.raises(ValueError, match="fps must divide"):
        World(fps=fps)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"object_id": 13}, "Table 2"),
        ({"renderer": "x"}, "renderer"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        World(**kwargs)


@pytest.mark.parametrize("closure", [np.zeros(5), np.full(6, np.nan)])
def test_bad_commands_are_refused_and_change_nothing(closure):
    world = World()
    with pytest.raises(ValueError, match="closure must be 6 finite"):
        world.command_hand(closure)
    world.step()
    np.testing.assert_allclose(world.hand_sample().closure, world.initial_closure, atol=1e-3)


def test_commands_are_clipped_to_the_hand():
    world = World(1)
    world.command_hand(np.full(6, -1.0))
    for _ in range(30):
        world.step()
    np.testing.assert_allclose(world.hand_sample().closure, 0.0, atol=5e-3)


def test_same_seed_and_commands_give_the_same_bits():
    def episode():
        world = World(3, 5)
        close_until(world, grip_of(2.0))
        sample = world.hand_sample()
        return np.concatenate([sample.closure, sample.torque]), world.render(60, 80), world.data.qpos.copy()

    for first, second in zip(episode(), episode(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_reset_forgets_the_episode_before():
    fresh, used = World(4, 2), World(1, 7)
    close_until(used, grip_of(2.0))
    used.command_lift(0.05)
    used.step()
    used.reset(object_id=4, seed=2)
    for world in (fresh, used):
        world.command_hand(world.initial_closure + 0.05)
        world.step()
    np.testing.assert_array_equal(fresh.data.qpos, used.data.qpos)
    np.testing.assert_array_equal(fresh.hand_sample().torque, used.hand_sample().torque)
    assert used.outcome() == fresh.outcome()


def test_other_seeds_give_other_scenes():
    first, second = World(1, 0), World(1, 1)
    assert not np.allclose(first.data.body("object").xpos, second.data.body("object").xpos)


def test_moving_in_free_air_reads_no_force():
    world = World(6)
    command = world.initial_closure
    for _ in range(12):
        command = command - 0.02 * np.array([1, 1, 1, 1, 1, 0])
        world.command_hand(command)
        world.step()
        assert (world.hand_sample().torque == 0).all()


def test_force_rises_with_touch_and_has_noise_only_then():
    quiet, noisy = (World(6, 0, settings=WorldSettings(torque_noise=noise)) for noise in (0.0, 0.05))
    for world in (quiet, noisy):
        close_until(world, grip_of(5.0))
    assert quiet.hand_sample().torque[:5].max() > 0.5
    difference = noisy.hand_sample().torque - quiet.hand_sample().torque
    assert np.abs(difference).max() > 0
    assert (difference[quiet.hand_sample().torque == 0] == 0).all()


def test_the_sensor_reads_what_the_servo_holds_against_an_object():
    world = World(6, 0, settings=WorldSettings(torque_noise=0.0))
    close_until(world, grip_of(8.0))
    for _ in range(15):
        world.step()
    servo = world.data.actuator_force[6:12] / 0.070
    np.testing.assert_allclose(world.hand_sample().torque[:5], servo[:5], atol=0.15)


def test_a_torque_limit_caps_the_grip():
    free, limited = World(6, 0), World(6, 0)
    for world, limit in ((free, None), (limited, np.full(6, 1.5))):
        command = close_until(world, grip_of(3.0))
        for _ in range(20):
            command[:5] += 0.003
            world.command_hand(command, limit)
            world.step()
    assert free.hand_sample().torque[:4].max() > 3
    assert limited.hand_sample().torque[:4].max() < 1.8


def test_listeners_are_called_120_times_a_second_after_the_sample():
    channel = FeelChannel()
    world = World(1, 0, feel=channel)
    times = []
    world.listeners.append(lambda: times.append((world.time, channel.latest().timestamp)))
    for _ in range(30):
        world.step()
    assert len(times) == 120
    assert all(now == stamp for now, stamp in times)
    np.testing.assert_allclose(np.diff([now for now, _ in times]), 1 / 120)


@pytest.mark.parametrize("object_id", [1, 6])
def test_a_weak_grip_drops_light_and_heavy_objects(object_id):
    world = World(object_id, 0)
    command = close_until(world, grip_of(1.0), speed=0.1)
    command[:5] -= {1: 0.008, 6: 0.001}[object_id]
    world.command_hand(command)
    world.step()
    outcome = lift(world)
    assert outcome.is_dropped
    assert not outcome.is_held
    assert not outcome.is_success
    assert outcome.height_m < 0.08


@pytest.mark.parametrize("object_id", [3, 9])
def test_a_strong_grip_crushes_soft_objects_even_if_they_are_held(object_id):
    world = World(object_id, 0)
    close_until(world, grip_of(15.0), speed=0.1)
    outcome = lift(world)
    assert outcome.is_crushed
    assert not outcome.is_success
    limit_mm = 1000 * SIM_OBJECTS[object_id].grasp_width_m * 0.09
    assert outcome.max_deformation_mm > 0.9 * limit_mm
    assert outcome.peak_grip_force_n > 5


def test_the_right_grip_lifts_and_holds():
    world = World(4, 0)
    close_until(world, grip_of(4.0), speed=0.06)
    outcome = lift(world)
    assert outcome.is_success, outcome
    assert outcome.is_held
    assert outcome.height_m > 0.09
    assert outcome.held_s > 1.0
    assert 1 < outcome.mean_grip_force_n <= outcome.peak_grip_force_n
    assert outcome.to_info()["is_success"] is True


@pytest.mark.parametrize("object_id", [1, 6])
def test_a_hand_comes_down_around_an_object_that_was_put_back(object_id):
    world = World(object_id, 0)
    start = world.data.body("object").xpos.copy()
    lift(world)  # with an open hand
    world.data.joint("object").qvel[:3] = [0.0, 0.3, 0.0]
    for _ in range(30):
        world.step()
    assert np.linalg.norm(world.data.body("object").xpos - start) > 0.01
    world.put_object_back()
    np.testing.assert_allclose(world.data.body("object").xpos, start, atol=1e-3)
    for height_m in np.linspace(world.lift_height_m, 0.0, 60):
        world.command_lift(height_m)
        world.step()
        assert not world.hand_sample().torque.any()
    np.testing.assert_allclose(world.data.body("object").xpos, start, atol=2e-3)


def test_devices_speak_the_protocols():
    world = World(1, 0)
    hand, arm = SimulatedHand(world), SimulatedArm(world)
    hand.connect()
    arm.connect()
    assert hand.is_connected
    assert arm.is_connected
    hand.write(world.initial_closure + 0.05)
    arm.command_lift(0.02)
    world.step()
    assert hand.read() is world.hand_sample()
    assert hand.read().timestamp == pytest.approx(1 / 30)
    assert world.lift_height_m == pytest.approx(0.02)
    hand.disconnect()
    arm.disconnect()
    assert not hand.is_connected
