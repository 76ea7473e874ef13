"""A UR3 controller on localhost, real enough for the `ur_rtde` client: RTDE, dashboard and script port, and
an arm that follows.

The URScript that `ur_rtde` uploads is not interpreted; what its commands do is modelled here. So this shows
that our driver and the client library work together, and how they behave when the arm stops or the link dies.
It shows nothing about the script on a real arm.

`ur_rtde` holds Python's global lock while it connects, so the emulator must run in another process than its
client::

    python -m softgrasp_plugin.emulators.ur_controller --host=127.0.0.1 --model=ur3

Commands on standard input, one per line: protective_stop, silence (the cable is pulled), hang_up (the
controller is switched off), recover, state (answers with one line of JSON), quit.
"""

import argparse
import contextlib
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from ..devices.realtime import prefer_this_thread
from ..joints import FloatArray
from ..simulation.arm import ToolPose, forward, inverse
from .ur_pose import pose, pose_values, rotation_vector
from .ur_rtde_server import RtdeClient, register

RTDE_PORT, DASHBOARD_PORT, SCRIPT_PORT = 30004, 29999, 30003

VERSIONS = {"ur3": (3, 15, 8, 106339), "ur3e": (5, 11, 6, 0)}
RATES_HZ = {"ur3": 125, "ur3e": 500}

# Commands of ur_rtde's control script, in input_int_register_0.
_SERVO_J, _SERVO_STOP, _SET_PAYLOAD, _SET_TCP = 11, 16, 17, 29
_INVERSE, _WATCHDOG, _FORWARD, _STOP_SCRIPT = 30, 35, 44, 255
_IDLE, _READY, _DONE = 0, 1, 2

_STOPPED, _PLAYING = 1, 2
SAFETY_NORMAL, SAFETY_PROTECTIVE_STOP = 1 << 0, 1 << 2
_MAX_JOINT_SPEED = math.pi
_LAG_PER_LOOKAHEAD = 0.5
"""servoJ smooths its targets over the lookahead time; here as a first-order lag of half of it."""

_SCRIPT_START_S = 0.15


class URController:
    """The controller and its arm.

    Args:
        host: address to listen on; the ports are UR's own, so every emulator needs an address of its own.
        model: ur3 (CB3, 125 Hz) or ur3e (500 Hz). The arm's geometry is the UR3's in both.
        joints: joint angles (6,) at the start, radians.
    """

    def __init__(self, host: str, model: str, joints: Sequence[float]) -> None:
        self.lock = threading.RLock()
        self.version = VERSIONS[model]
        self.rate_hz = RATES_HZ[model]
        self._host = host
        self._joints: FloatArray = np.array(joints, dtype=np.float64)
        self._velocity: FloatArray = np.zeros(6)
        self._target = self._joints.copy()
        self._servoing = False
        self._lookahead_s = 0.1
        self._tcp = ToolPose(np.zeros(3), np.eye(3))
        self._payload: list[float] = []
        self._ints: dict[str, dict[int, float]] = {"in": {}, "out": {}}
        self._doubles: dict[str, dict[int, float]] = {"in": {}, "out": {}}
        self._runtime = _STOPPED
        self._safety = SAFETY_NORMAL
        self._handled = _IDLE
        self._step = 0
        self._watchdog_s = math.inf
        self._heard = 0
        self._servo_commands = 0
        self._script_bytes = 0
        self._peak_speed = 0.0
        self._done = threading.Event()
        self._silent = False
        self._clients: list[RtdeClient] = []
        self._listeners: list[socket.socket] = []

    @property
    def joints(self) -> FloatArray:
        """Joint angles (6,) now, radians."""
        with self.lock:
            return self._joints.copy()

    def start(self) -> None:
        """Open the three ports and let the arm run.

        Raises:
            OSError: if a port is taken.
        """
        for port, serve in (
            (RTDE_PORT, self._serve_rtde),
            (DASHBOARD_PORT, self._serve_dashboard),
            (SCRIPT_PORT, self._serve_script),
        ):
            listener = socket.create_server((self._host, port), backlog=8)
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, serve), daemon=True).start()
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Switch off."""
        self._done.set()
        for listener in self._listeners:
            listener.close()
        self.hang_up()

    def protective_stop(self) -> None:
        """Stop as after a collision; the program ends and the arm stands."""
        with self.lock:
            self._safety = SAFETY_PROTECTIVE_STOP
            self._end_program()

    def silence(self) -> None:
        """Say nothing more and hear nothing, while the connections stay open: the cable is pulled."""
        self._silent = True
        for client in self._clients:
            client.is_silent = True

    def hang_up(self) -> None:
        """Close every RTDE connection."""
        for client in list(self._clients):
            client.close()

    def recover(self) -> None:
        """Clear every fault; the program must be started again."""
        self.hang_up()
        with self.lock:
            self._silent = False
            self._safety = SAFETY_NORMAL
            self._end_program()

    def state(self) -> dict[str, object]:
        """What tests want to know."""
        with self.lock:
            return {
                "joints": self._joints.tolist(),
                "height_m": float(forward(self._joints).position[2]),
                "servoing": self._servoing,
                "playing": self._runtime == _PLAYING,
                "servo_commands": self._servo_commands,
                "watchdog_s": self._watchdog_s if math.isfinite(self._watchdog_s) else None,
                "payload": self._payload,
                "tcp": [*self._tcp.position.tolist(), *rotation_vector(self._tcp.rotation).tolist()],
                "script_bytes": self._script_bytes,
                "peak_joint_speed": self._peak_speed,
            }

    def output(self, name: str) -> Sequence[float] | float:
        """Value of an RTDE output variable."""
        bank, index = register(name)
        if bank:
            return (self._ints if bank == "int" else self._doubles)["out"].get(index, 0)
        match name:
            case "timestamp":
                return self._step / self.rate_hz
            case "actual_q":
                return _floats(self._joints)
            case "actual_qd":
                return _floats(self._velocity)
            case "target_q":
                return _floats(self._target)
            case "actual_TCP_pose" | "target_TCP_pose":
                return pose_values(self._tool(self._joints, self._tcp))
            case "runtime_state":
                return self._runtime
            case "robot_status_bits":
                return 0b1 | (0b10 if self._runtime == _PLAYING else 0)
            case "safety_status_bits":
                return self._safety
            case "robot_mode":
                return 7
            case "safety_mode":
                return 1 if self._safety == SAFETY_NORMAL else 3
            case "speed_scaling" | "target_speed_fraction":
                return 1.0
        return 0.0

    def write_input(self, kind: str, index: int, value: float) -> None:
        """A client wrote an input register."""
        (self._ints if kind == "int" else self._doubles)["in"][index] = value
        if kind == "int" and index == 0:
            self._heard = self._step

    def _run(self) -> None:
        due = time.monotonic()
        while not self._done.is_set():
            with self.lock:
                self._advance(1.0 / self.rate_hz)
                step = self._step
            for client in list(self._clients):
                client.publish(step)
            due = max(due + 1.0 / self.rate_hz, time.monotonic() - 0.1)
            time.sleep(max(due - time.monotonic(), 0.0))

    def _advance(self, dt: float) -> None:
        if self._runtime == _PLAYING:
            self._obey(int(self._ints["in"].get(0, _IDLE)))
            if (self._step - self._heard) * dt > self._watchdog_s:
                self._end_program()
        before = self._joints
        if self._servoing:
            limit = _MAX_JOINT_SPEED * dt
            share = min(dt / (self._lookahead_s * _LAG_PER_LOOKAHEAD), 1.0)
            self._joints = before + np.clip(share * (self._target - before), -limit, limit)
        self._velocity = (self._joints - before) / dt
        self._peak_speed = max(self._peak_speed, float(np.abs(self._velocity).max()))
        self._step += 1

    def _obey(self, command: int) -> None:
        """The main loop of ur_rtde's control script: servo commands at once, any other command once, until
        the client takes it back.
        """
        if command == _SERVO_J:
            self._target, self._servoing = np.array(self._arguments(0, 6)), True
            self._lookahead_s = self._arguments(9, 1)[0]
            self._servo_commands += 1
            self._ints["out"][0] = _READY
        elif command == _IDLE:
            self._handled = _IDLE
            self._ints["out"][0] = _READY
        elif self._handled == _IDLE:
            self._handled = command
            self._execute(command)

    def _execute(self, command: int) -> None:
        if command == _SERVO_STOP:
            self._servoing = False
        elif command == _SET_PAYLOAD:
            self._payload = self._arguments(0, 4)
        elif command == _SET_TCP:
            self._tcp = pose(self._arguments(0, 6))
        elif command == _WATCHDOG:
            self._watchdog_s = 1.0 / self._arguments(0, 1)[0]
        elif command == _FORWARD:
            tool = self._tool(np.array(self._arguments(0, 6)), pose(self._arguments(6, 6)))
            self._answer(pose_values(tool))
        elif command == _INVERSE:
            wanted = pose(self._arguments(0, 6))
            rotation = wanted.rotation @ self._tcp.rotation.T
            flange = ToolPose(wanted.position - rotation @ self._tcp.position, rotation)
            try:
                self._answer(inverse(flange, np.array(self._arguments(6, 6))).tolist())
            except ValueError:
                # A real controller stops the program with "get_inverse_kin: no solution".
                self._end_program()
                return
        elif command == _STOP_SCRIPT:
            self._end_program()
            return
        self._ints["out"][0] = _DONE

    def _end_program(self) -> None:
        self._runtime, self._servoing, self._watchdog_s = _STOPPED, False, math.inf
        self._ints["in"].pop(0, None)

    def _start_program(self) -> None:
        with self.lock:
            if self._safety != SAFETY_NORMAL:
                return
            self._runtime, self._handled, self._heard = _PLAYING, _IDLE, self._step
            self._ints["out"][0] = _READY

    def _arguments(self, first: int, count: int) -> list[float]:
        return [self._doubles["in"].get(first + i, 0.0) for i in range(count)]

    def _answer(self, values: Sequence[float]) -> None:
        self._doubles["out"].update(enumerate(values))

    @staticmethod
    def _tool(joints: FloatArray, tcp: ToolPose) -> ToolPose:
        flange = forward(joints)
        return ToolPose(flange.position + flange.rotation @ tcp.position, flange.rotation @ tcp.rotation)

    def _accept(self, listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        while not self._done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, serve), daemon=True).start()

    def _serve(self, connection: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with contextlib.suppress(OSError), connection:
            serve(connection)

    def _serve_rtde(self, connection: socket.socket) -> None:
        client = RtdeClient(connection, self)
        client.is_silent = self._silent
        self._clients.append(client)
        try:
            client.serve()
        finally:
            self._clients.remove(client)

    def _serve_dashboard(self, connection: socket.socket) -> None:
        connection.sendall(b"Connected: Universal Robots Dashboard Server\n")
        for line in connection.makefile("rb"):
            connection.sendall(
                self._dashboard_answer(line.decode("ascii", "replace").strip()).encode() + b"\n"
            )

    def _dashboard_answer(self, request: str) -> str:
        if request == "stop":
            with self.lock:
                self._end_program()
        answers = {
            "stop": "Stopped",
            "PolyscopeVersion": "URSoftware {}.{}.{}.{}".format(*self.version),
            "get serial number": "20235500000",
            "is in remote control": "true",
            "running": f"Program running: {str(self._runtime == _PLAYING).lower()}",
            "robotmode": "Robotmode: RUNNING",
            "quit": "Disconnected",
        }
        return answers.get(request, f"could not understand: '{request}'")

    def _serve_script(self, connection: socket.socket) -> None:
        script = b""
        while chunk := connection.recv(65536):
            script += chunk
            if script.lstrip().startswith(b"def ") and script.rstrip().endswith(b"\nend"):
                self._script_bytes = len(script)
                script = b""
                threading.Timer(_SCRIPT_START_S, self._start_program).start()


def _floats(array: FloatArray) -> list[float]:
    return [float(value) for value in array]


def main() -> None:
    """Run an emulated controller until its standard input ends."""
    parser = argparse.ArgumentParser(description="An emulated UR3 controller.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--model", choices=sorted(VERSIONS), default="ur3")
    parser.add_argument("--joints", type=json.loads, default=[0.0, -1.57, 1.57, -1.57, -1.57, 0.0])
    options = parser.parse_args()
    # A real controller does not compete for this computer's processor.
    prefer_this_thread(inherited=True)
    controller = URController(options.host, options.model, options.joints)
    controller.start()
    actions = {
        "protective_stop": controller.protective_stop,
        "silence": controller.silence,
        "hang_up": controller.hang_up,
        "recover": controller.recover,
    }
    print("ready", flush=True)
    for line in sys.stdin:
        command = line.strip()
        if command == "quit":
            break
        if command in actions:
            actions[command]()
        print(json.dumps(controller.state()), flush=True)
    controller.stop()


if __name__ == "__main__":
    main()
