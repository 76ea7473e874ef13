"""What can go wrong with a device on a wire. Every error names the device, the problem and the remedy.

All are `ConnectionError`s, as LeRobot's own device errors are. `DeviceSilentError` may pass by itself (the
next reading can succeed); the other kinds need somebody to do something first.
"""


class DeviceError(ConnectionError):
    """A device could not do what it was asked.

    Args:
        device: which device, with its port, as the user knows it.
        problem: what happened, one sentence.
        remedy: what to do about it, one sentence.
    """

    def __init__(self, device: str, problem: str, remedy: str) -> None:
        super().__init__(f"{device}: {problem} {remedy}")
        self.device = device
        self.problem = problem
        self.remedy = remedy


class DeviceSilentError(DeviceError):
    """No valid reply, or none recent enough."""


class DeviceLostError(DeviceError):
    """The port or the network link is gone, or could not be opened."""


class DeviceFaultError(DeviceError):
    """The device answers and reports a fault of its own (overheated, overloaded, stalled …)."""


class DeviceNotCalibratedError(DeviceError):
    """The device needs a calibration before its readings mean anything."""
