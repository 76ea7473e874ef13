"""Processes that wear a glove in contact, for tests that end them.

Reads lines "<port> <ending>" and forks a process for each, since importing LeRobot takes seconds. The process
prints "feels <pid>" once the motors press, then waits for a signal, raises, or returns. At its end "ended
<exit status, or minus the signal>" is printed."""

import os
import sys
import threading
import time

import numpy as np
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves.config import DynamixelGloveConfig, GloveMotorConfig
from softgrasp_plugin.devices.gloves.motor_glove import MotorGlove
from softgrasp_plugin.devices.gloves.thread import GloveThread
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig


def wear(port: str, ending: str) -> None:
    config = DynamixelGloveConfig(port=port, motors={"index_bend": GloveMotorConfig(id=1)})
    glove = MotorGlove(config, {"index_bend": MotorCalibration(1, 0, 0, 1024, 3072)})
    glove.connect()
    channel = FeelChannel()
    thread = GloveThread(glove, channel, FeedbackConfig(), 200.0)
    thread.start()

    def hand() -> None:
        while True:
            channel.publish(HandSample(np.full(6, 0.5), np.full(6, 2.0), time.monotonic()))
            time.sleep(0.01)

    threading.Thread(target=hand, daemon=True).start()
    while thread.health.command is None or thread.health.command.torque.min() < 2.0:
        time.sleep(0.01)
    try:
        print("feels", os.getpid(), flush=True)
        if ending == "raise":
            raise RuntimeError("somebody's bug")
        if ending == "wait":
            time.sleep(60)
    finally:
        print("finally", flush=True)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            wear(*line.split())
            return  # through the interpreter's own exit
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    print("ready", flush=True)
    main()
