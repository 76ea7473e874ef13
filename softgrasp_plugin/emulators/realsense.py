r"""An emulated RealSense: one of LeRobot's commands, with librealsense's own software device plugged in.

```shell
python -m softgrasp_plugin.emulators.realsense --port=5555 --width=320 --height=240 \
    lerobot-record --config_path=outputs/emulated/record.json
```

`softgrasp-emulate --camera=realsense` prints the whole line. LeRobot's `RealSenseCamera` and librealsense run
unmodified; what is replaced, in this process and for nothing but emulation, is how a pipeline finds its
device: a software device cannot be discovered on USB. Pictures come from the emulated camera (`camera.py`).
"""

import argparse
import contextlib
import ctypes
import importlib
import importlib.metadata
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

SERIAL_NUMBER = "042222071234"
_MODEL = "Intel RealSense D435I"
_COLOUR_SENSOR = "RGB Camera"
_CHANNELS = 3
_WAIT_MS = 200.0


def load_pyrealsense2() -> ModuleType:
    """Import pyrealsense2; where the system has no libusb, with the one of the package `libusb_package`.

    Raises:
        ImportError: with the remedy, if it cannot be imported.
    """
    library = importlib.util.find_spec("libusb_package")
    if library is not None and library.submodule_search_locations:
        for path in Path(library.submodule_search_locations[0]).glob("libusb-1.0.so*"):
            # Its name inside is the one that librealsense asks the loader for.
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as error:
        raise ImportError(
            f"pyrealsense2 cannot be imported ({error}). Install it with: pip install pyrealsense2 "
            "libusb-package, or pip install pyrealsense2 and sudo apt-get install libusb-1.0-0."
        ) from error


class SoftwareRealSense:
    """A software device with one colour stream.

    Args:
        rs: the module pyrealsense2.
        width: columns of a picture.
        height: rows.
        fps: nominal rate.
    """

    def __init__(self, rs: ModuleType, width: int, height: int, fps: int) -> None:
        self._rs, self._width, self._height, self._fps = rs, width, height, fps
        self._number = 0
        self.device = rs.software_device()
        for name, value in (
            ("name", _MODEL),
            ("serial_number", SERIAL_NUMBER),
            ("product_line", "D400"),
            ("product_id", "0B3A"),
            ("firmware_version", "5.16.0.1"),
            ("usb_type_descriptor", "3.2"),
            ("physical_port", "software"),
        ):
            self.device.register_info(getattr(rs.camera_info, name), value)
        self._sensor = self.device.add_sensor(_COLOUR_SENSOR)
        self._profile = self._sensor.add_video_stream(self._stream(), True)
        self.device.create_matcher(rs.matchers.default)

    def push(self, picture: NDArray[np.uint8]) -> None:
        """Let the sensor have seen a picture, shape (height, width, 3), RGB."""
        frame = self._rs.software_video_frame()
        frame.pixels = np.ascontiguousarray(picture)
        frame.stride, frame.bpp = self._width * _CHANNELS, _CHANNELS
        frame.timestamp = 1e3 * self._number / self._fps
        frame.domain = self._rs.timestamp_domain.system_time
        frame.frame_number = self._number
        frame.profile = self._profile.as_video_stream_profile()
        self._number += 1
        self._sensor.on_video_frame(frame)

    def plug_in(self) -> None:
        """From now on every pipeline and context of this process sees this device and no other."""
        rs, device, make_pipeline = self._rs, self.device, self._rs.pipeline

        def pipeline() -> Any:
            # librealsense 2.56 loses a software device that is added to a context; a pipeline keeps it.
            made = make_pipeline()
            made.set_device(device)
            return made

        class Context:
            devices = (device,)

            def query_devices(self) -> list[Any]:
                return [device]

        rs.pipeline, rs.context = pipeline, Context  # type: ignore[attr-defined]

    def _stream(self) -> Any:
        rs = self._rs
        lens = rs.intrinsics()
        lens.width, lens.height = self._width, self._height
        lens.ppx, lens.ppy = self._width / 2, self._height / 2
        lens.fx = lens.fy = float(self._width)
        lens.model, lens.coeffs = rs.distortion.none, [0.0] * 5
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid = rs.stream.color, 0, 1
        stream.width, stream.height, stream.fps = self._width, self._height, self._fps
        stream.bpp, stream.fmt, stream.intrinsics = _CHANNELS, rs.format.rgb8, lens
        return stream


class Feed:
    """Passes every picture of the emulated camera on to a software device; a context manager.

    It has to end before Python does: a thread that is inside librealsense then takes the process down.

    Args:
        sensor: the software device.
        port: of the emulated camera.
    """

    def __init__(self, sensor: SoftwareRealSense, port: int) -> None:
        from lerobot.cameras.zmq import ZMQCamera, ZMQCameraConfig

        self._sensor = sensor
        self._source = ZMQCamera(ZMQCameraConfig(server_address="127.0.0.1", port=port))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="emulated RealSense", daemon=True)

    def __enter__(self) -> "Feed":
        self._source.connect(warmup=False)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._source.disconnect()

    def _run(self) -> None:
        while not self._stop.is_set():
            # A source that is silent is a camera without pictures; LeRobot's camera notices.
            with contextlib.suppress(TimeoutError):
                self._sensor.push(self._source.async_read(timeout_ms=_WAIT_MS))


def main() -> None:
    """Plug the device in, then run one of LeRobot's commands as if it had been called by its name."""
    parser = argparse.ArgumentParser(description="Run one of LeRobot's commands with an emulated RealSense.")
    for name, default in (("port", None), ("width", 320), ("height", 240), ("fps", 30)):
        parser.add_argument(f"--{name}", type=int, default=default, required=default is None)
    parser.add_argument("command", help="such as lerobot-record")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the command")
    options = parser.parse_args()
    (script,) = importlib.metadata.entry_points(group="console_scripts", name=options.command)
    sensor = SoftwareRealSense(load_pyrealsense2(), options.width, options.height, options.fps)
    sensor.plug_in()
    sys.argv = [options.command, *options.arguments]
    with Feed(sensor, options.port):
        sys.exit(script.load()())


if __name__ == "__main__":
    main()
