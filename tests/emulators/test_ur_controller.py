"""The emulator against the real `ur_rtde` client, which runs in a third process since it holds the global
lock.
"""

import importlib.util
import json
import socket
import struct
import subprocess
import sys

import numpy as np
import pytest

from softgrasp_plugin.emulators.ur_controller import URController
from softgrasp_plugin.emulators.ur_pose import pose, rotation_vector
from softgrasp_plugin.emulators.ur_rtde_server import variable_type

from .ur_process import GRASP_JOINTS, URControllerProcess, own_address

pytestmark = pytest.mark.slow

_CLIENT = """
import json, sys, time
from rtde_control import RTDEControlInterface
from rtde_receive import RTDEReceiveInterface
host, joints = sys.argv[1], json.loads(sys.argv[2])
control, receive = RTDEControlInterface(host), RTDEReceiveInterface(host)
answer = {}
tcp = [0.0, 0.0, 0.1, 0.0, 0.0, 0.0]
answer["set"] = [control.setPayload(1.0, [0.0, 0.0, 0.05]), control.setTcp(tcp), control.setWatchdog(10.0)]
pose = control.getForwardKinematics(joints, tcp)
answer["inverse"] = control.getInverseKinematics(pose, joints)
for _ in range(100):
    answer["servo"] = control.servoJ(joints, 0, 0, 0.008, 0.1, 300)
    time.sleep(0.008)
answer["actual"] = receive.getActualQ()
answer["safety"], answer["playing"] = receive.getSafetyStatusBits(), receive.getRuntimeState() == 2
time.sleep(0.4)
answer["playing_after_silence"] = control.isProgramRunning()
print(json.dumps(answer), flush=True)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
)
@pytest.mark.parametrize("model", ["ur3", "ur3e"])
def test_the_real_client_is_content(model) -> None:
    with URControllerProcess(model) as controller:
        client = subprocess.run(
            [sys.executable, "-c", _CLIENT, controller.host, json.dumps(GRASP_JOINTS)],
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    answer = json.loads(client.stdout.splitlines()[-1])
    assert answer["set"] == [True, True, True]
    np.testing.assert_allclose(answer["inverse"], GRASP_JOINTS, atol=1e-6)
    np.testing.assert_allclose(answer["actual"], GRASP_JOINTS, atol=1e-2)
    assert answer["servo"]
    assert answer["safety"] == 1
    assert answer["playing"]
    assert not answer["playing_after_silence"]  # the watchdog


def test_rtde_negotiation_and_output() -> None:
    host = own_address()
    controller = URController(host, "ur3", GRASP_JOINTS)
    controller.start()
    try:
        with socket.create_connection((host, 30004), 5.0) as link:
            names = b"timestamp,actual_q,safety_status_bits"
            link.sendall(struct.pack(">HBd", 11 + len(names), ord("O"), 125.0) + names)
            link.sendall(struct.pack(">HB", 3, ord("S")))
            stream = link.makefile("rb")
            kinds = {}
            while "U" not in kinds:
                size, kind = struct.unpack(">HB", stream.read(3))
                kinds[chr(kind)] = stream.read(size - 3)
        assert kinds["O"] == b"\x01DOUBLE,VECTOR6D,UINT32"
        values = struct.unpack(">B d 6d I", kinds["U"])
        np.testing.assert_allclose(values[2:8], GRASP_JOINTS)
        assert values[8] == 1
        controller.protective_stop()
        assert controller.output("safety_status_bits") == 1 << 2
    finally:
        controller.stop()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("input_int_register_0", "INT32"),
        ("output_double_register_5", "DOUBLE"),
        ("speed_slider_mask", "UINT32"),
        ("standard_digital_output_mask", "UINT8"),
        ("actual_TCP_pose", "VECTOR6D"),
    ],
)
def test_types_of_variables(name, kind) -> None:
    assert variable_type(name) == kind


@pytest.mark.parametrize("vector", [[0, 0, 0], [0.3, -1.0, 2.0], [np.pi, 0, 0], [0, np.pi - 1e-8, 0]])
def test_rotation_vectors_there_and_back(vector) -> None:
    rotation = pose([0, 0, 0, *vector]).rotation
    again = pose([0, 0, 0, *rotation_vector(rotation)]).rotation
    np.testing.assert_allclose(again, rotation, atol=1e-6)
