"""A glove program for SoftGrasp's bridge glove. It needs Python and nothing else: no ROS, no LeRobot.

Start it, then LeRobot with ``--teleop.type=force_glove --teleop.glove.type=bridge``::

    python bridge_glove.py                       # both on this computer
    python bridge_glove.py 192.168.1.20 5910     # LeRobot on the computer with that address

In the second case LeRobot also needs ``--teleop.glove.bind=0.0.0.0`` and, as ``--teleop.glove.peer=…``, the
address of the computer that this program runs on.

Put your glove's SDK into `MyGlove` (Dexmo, SenseGlove, HaptX, …); everything else stays. As it is, `MyGlove`
is a pretended glove whose fingers bend and stretch slowly, so that you can try the connection first.

The messages are JSON objects, one per UDP datagram; the six numbers belong to little_bend, ring_bend,
middle_bend, index_bend, thumb_bend, thumb_swing, in this order::

    to LeRobot    {"softgrasp_glove": 1, "seq": 12, "angle": [six of 0 straight … 1 bent], "ack": 7}
    from LeRobot  {"softgrasp_glove": 1, "seq": 7, "force": [six, newtons], "angle": [six], "valid_ms": 150}

An angle up to 0.01 outside 0 … 1 is taken as the end. One further outside is refused, and 150 ms of nothing
else end the recording with an error that names it: better than a finger that seems to stand still.
"""

import contextlib
import json
import math
import socket
import sys
import time

VERSION = 1
RATE_HZ = 200


class MyGlove:
    """Replace the three methods by calls of your glove's SDK."""

    def read(self) -> list[float]:
        """The six joint angles now, each 0 (straight) … 1 (bent); `lerobot-calibrate` can do the scaling to
        your hand.
        """
        bend = 0.4 - 0.4 * math.cos(time.monotonic())
        return [bend, bend, bend, bend, bend, 0.5]

    def press(self, force: list[float], angle: list[float]) -> None:
        """Hold each joint at `angle` with at most `force` newtons at the fingertip; force 0 sets the joint
        free.
        """
        if any(force):
            print("force", force, "at", angle)

    def release(self) -> None:
        """Set every joint free at once."""


def main() -> None:
    """Send the angles and carry out the forces until Ctrl-C."""
    host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 5910
    glove = MyGlove()
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.connect((host, port))  # nobody but LeRobot may tell the glove to press
    link.setblocking(False)
    newest, valid_until, ack = -1, 0.0, None
    # Numbers must grow over a restart too, or LeRobot waits 150 ms before it believes that we are new.
    seq = time.time_ns() // 1_000_000
    try:
        while True:
            for message in received(link):
                if message["seq"] > newest or time.monotonic() > valid_until:
                    newest = ack = message["seq"]
                    valid_until = time.monotonic() + message["valid_ms"] / 1000
                    glove.press(message["force"], message["angle"])
            # Without this a LeRobot that died would leave the glove pulling.
            if time.monotonic() > valid_until:
                glove.release()
            seq += 1
            angle = [round(value, 5) for value in glove.read()]
            report = {"softgrasp_glove": VERSION, "seq": seq, "angle": angle, "ack": ack}
            with contextlib.suppress(ConnectionError):  # LeRobot may not be there yet
                link.send(json.dumps(report).encode())
            time.sleep(1 / RATE_HZ)
    except KeyboardInterrupt:
        pass
    finally:
        glove.release()


def received(link: socket.socket) -> list[dict]:
    """Every message that waits, of our version."""
    messages = []
    while True:
        try:
            message = json.loads(link.recv(2048))
        except ConnectionError:
            continue
        except BlockingIOError:
            return messages
        if message.get("softgrasp_glove") == VERSION:
            messages.append(message)


if __name__ == "__main__":
    main()
