"""From a contact of the hand to current in the glove's motors, and both loops' rates, over emulated wires.

python benchmarks/feel_latency.py

The devices are a process of their own with a clock of their own: it touches the hand's joints, and looks when
the glove's motors have been told. So wires, drivers, threads and Algorithm 1 are in the time, and a real
device's own reaction is not. Measured while LeRobot's loop would rest, and while it computes in Python for
25 of its 33 ms.
"""

import argparse
import multiprocessing
import random
import time
from multiprocessing.connection import Connection

import numpy as np
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves.config import DynamixelGloveConfig, GloveMotorConfig
from softgrasp_plugin.devices.gloves.factory import make_glove
from softgrasp_plugin.devices.gloves.thread import GloveThread
from softgrasp_plugin.devices.hands.calibration import FreeAirForce, HandCalibration
from softgrasp_plugin.devices.hands.config import DynamixelHandConfig, HandConfig, InspireSerialHandConfig
from softgrasp_plugin.devices.hands.factory import make_hand
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig
from softgrasp_plugin.joints import JOINTS, NUM_JOINTS

HANDS = ("dynamixel", "inspire_serial")
LOOP_S, BUSY_S = 1 / 30, 0.025
CLOSURE, DEPTH = 0.5, 0.02
GOAL_CURRENT, TORQUE_ENABLE = 102, 64


def motors() -> list[EmulatedMotor]:
    return [EmulatedMotor(1 + i, "xl330-m288", i) for i in range(NUM_JOINTS)]


def devices(hand_type: str, connection: Connection) -> None:
    """The process of the devices: answers every request with the seconds from contact to feedback."""
    hand, glove = FirstOrderJoints(stiffness_n=100.0), FirstOrderJoints()
    for joint in range(NUM_JOINTS):
        hand.move(joint, CLOSURE)
        glove.move(joint, CLOSURE)
    wire = (
        DynamixelBusEmulator(motors(), hand)
        if hand_type == "dynamixel"
        else RH56SerialEmulator(RH56Registers(hand))
    )
    with wire, DynamixelBusEmulator(motors(), glove) as glove_wire:

        def pulls() -> bool:
            return any(m.get(GOAL_CURRENT, 2) and m.get(TORQUE_ENABLE, 1) for m in glove_wire.motors.values())

        connection.send((wire.port, glove_wire.port))
        while connection.recv() == "touch":
            hand.object_closure = CLOSURE - DEPTH
            touched = time.monotonic()
            while not pulls():
                time.sleep(2e-4)
            connection.send(time.monotonic() - touched)
            hand.object_closure = None
            for joint in range(NUM_JOINTS):
                hand.move(joint, CLOSURE)
            while pulls():
                time.sleep(1e-3)


def measure(hand_type: str, busy: bool, touches: int) -> str:
    """One line of the table."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=devices, args=(hand_type, theirs))
    process.start()
    hand_port, glove_port = ours.recv()
    channel = FeelChannel()
    ends = np.array([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)])
    ranges = {joint: MotorCalibration(1 + i, 0, 0, 1024, 3072) for i, joint in enumerate(JOINTS)}
    config: HandConfig = (
        DynamixelHandConfig(port=hand_port)
        if hand_type == "dynamixel"
        else InspireSerialHandConfig(port=hand_port)
    )
    calibration = HandCalibration(
        FreeAirForce(ends, np.zeros_like(ends)), ranges if hand_type == "dynamixel" else {}
    )
    hand = make_hand(config, channel, calibration)
    glove_motors = {joint: GloveMotorConfig(id=1 + i) for i, joint in enumerate(JOINTS)}
    glove = make_glove(DynamixelGloveConfig(port=glove_port, motors=glove_motors), ranges)
    glove.connect()
    hand.connect()
    thread = GloveThread(glove, channel, FeedbackConfig(), rate_hz=200.0)
    thread.start()
    waits, ages = [], []
    try:
        for _ in range(touches):
            loop(random.uniform(0.3, 0.4), busy)
            ages.append(thread.health.torque_age_s)
            ours.send("touch")
            while not ours.poll():
                loop(LOOP_S, busy)
            waits.append(ours.recv())
        rates = hand.rate_hz, thread.health.rate_hz
    finally:
        thread.stop()
        glove.disconnect()
        hand.disconnect()
        ours.send("end")
        process.join()
    columns = [1e3 * f(values) for values in (ages, waits) for f in (np.median, max)]
    return (
        f"{hand_type:<15} {'computes' if busy else 'rests':<10} {rates[0]:7.0f} {rates[1]:7.0f}    "
        + "".join(f"{value:9.1f}" for value in columns)
    )


def loop(duration_s: float, busy: bool) -> None:
    """What LeRobot's loop does meanwhile."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        started = time.monotonic()
        while busy and time.monotonic() - started < BUSY_S:
            pass
        time.sleep(max(LOOP_S - (time.monotonic() - started), 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--touches", type=int, default=40, help="contacts for each line")
    options = parser.parse_args()
    print("                                             newest torque (ms)  contact to feedback (ms)")
    print("hand            loop       hand Hz glove Hz     median    worst   median    worst")
    for hand_type in HANDS:
        for busy in (False, True):
            print(measure(hand_type, busy, options.touches), flush=True)


if __name__ == "__main__":
    main()
