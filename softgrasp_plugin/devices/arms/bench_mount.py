"""No arm: the hand is mounted on a bench."""


class BenchMount:
    """The `Arm` protocol where nothing moves; a commanded lift stays undone."""

    def __init__(self) -> None:
        self._connected = False

    @property
    def is_connected(self) -> bool:
        return self._connected

    def connect(self) -> None:
        self._connected = True

    def disconnect(self) -> None:
        self._connected = False

    def command_lift(self, height_m: float) -> None:
        """Nothing to lift."""
