"""Reading a pickle that somebody sent, without running any of it.

Unpickling normally imports and calls whatever the file names. Here a file can reach nothing of Python or
NumPy: the few names that a pickled NumPy array needs are answered by the stand-ins of this module, which
check every value they are given; any other name is refused. The result holds dicts, lists, tuples, sets,
strings, numbers, None and arrays of numbers or text.
"""

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Numbers and text. "O" (object) is the dangerous one: its elements are pickled values again.
_PLAIN_DTYPE = re.compile(r"[<>=|]?(?:[biufc]\d{1,2}|[SU]\d{1,6})")
_BYTE_ORDERS = ("<", ">", "=", "|")

# Opcodes that plain data never needs. An EXT code may be answered from a process-wide cache without asking
# `find_class`.
_REFUSED_OPCODES = frozenset(
    {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER"}
)

# What `pickle.Unpickler` is known to raise on damaged or hostile input.
_UNPICKLING_FAILURES = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


class RefusedPickleError(ValueError):
    """The pickle asks for more than plain data, or is damaged; nothing in it was run."""


def load_plain_pickle(path: Path) -> Any:
    """Read the plain data in the pickle at `path`.

    Args:
        path: a pickle of any protocol, written with any NumPy.

    Returns:
        Dicts, lists, tuples, sets, strings, bytes, numbers, None and NumPy arrays of numbers or text.

    Raises:
        RefusedPickleError: the file names a global other than NumPy's array reconstruction (the message says
            which), holds an array of Python objects, or is not a readable pickle.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    if not data:
        raise RefusedPickleError(
            f"{path} is empty (0 bytes); expected a pickled dict of NumPy arrays. Copy the file again."
        )
    try:
        return loads_plain_pickle(data)
    except RefusedPickleError as error:
        raise RefusedPickleError(f"{path}: {error}") from error


def loads_plain_pickle(data: bytes) -> Any:
    """Like `load_plain_pickle`, of bytes in memory.

    Raises:
        RefusedPickleError: as for `load_plain_pickle`.
    """
    try:
        _check_opcodes(data)
        return _to_plain(_PlainUnpickler(io.BytesIO(data), encoding="latin1").load(), {})
    except RefusedPickleError:
        raise
    except _UNPICKLING_FAILURES as error:
        raise RefusedPickleError(
            f"not a readable pickle of plain data ({type(error).__name__}: {error})"
        ) from error


def _check_opcodes(data: bytes) -> None:
    """Refuse, before anything is built, what could bypass `find_class` or exhaust the memory."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in _REFUSED_OPCODES:
            raise RefusedPickleError(
                f"opcode {opcode.name} is not allowed; only plain containers and NumPy arrays are"
            )
        # Python allocates the memo up to the largest index it is asked to store at.
        if opcode.name == "LONG_BINPUT" and isinstance(argument, int) and argument > count:
            raise RefusedPickleError(
                f"memo index {argument} is beyond anything stored so far: not written by a pickler"
            )


class _PlainDtype:
    """Stands for a `numpy.dtype` while the file is read."""

    __slots__ = ("dtype",)

    def __init__(self, spec: object) -> None:
        if not isinstance(spec, str) or not _PLAIN_DTYPE.fullmatch(spec):
            raise RefusedPickleError(f"array of type {spec!r}; only numbers and text are read")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: object) -> None:
        # (version, byte order, subarray, names, fields, …): the three after the order make a compound type.
        if (
            not isinstance(state, tuple)
            or len(state) < 5
            or state[1] not in _BYTE_ORDERS
            or any(part is not None for part in state[2:5])
        ):
            raise RefusedPickleError("array of a compound type; only numbers and text are read")
        self.dtype = self.dtype.newbyteorder(state[1])


class _PlainArray(np.ndarray[Any, np.dtype[Any]]):
    """An array that checks the state it is given, as a pickle may give any."""

    def __setstate__(self, state: Any, /) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise RefusedPickleError("array with a malformed state")
        _, shape, dtype, fortran_order, content = state
        array = _array_from_bytes(content, dtype, shape, "F" if fortran_order is True else "C")
        # NumPy's stub asks for numpy.bool here, NumPy itself for bool.
        super().__setstate__((1, array.shape, array.dtype, fortran_order is True, array.tobytes("A")))  # type: ignore[arg-type]


def _array_from_bytes(
    content: object, dtype: object, shape: object, order: object
) -> np.ndarray[Any, np.dtype[Any]]:
    if isinstance(content, str):  # Python 2 and protocol 2 keep bytes as Latin-1 text
        content = content.encode("latin1")
    if (
        not isinstance(content, bytes | bytearray)
        or not isinstance(dtype, _PlainDtype)
        or not isinstance(shape, tuple)
        or not all(type(length) is int and length >= 0 for length in shape)
        or order not in ("C", "F")
    ):
        raise RefusedPickleError("array with a malformed state")
    expected = math.prod(shape) * dtype.dtype.itemsize
    if len(content) != expected:
        raise RefusedPickleError(
            f"array of {dtype.dtype}, shape {shape}, needs {expected} bytes; the file has {len(content)}"
        )
    return np.ndarray(shape, dtype.dtype, bytes(content), order="F" if order == "F" else "C").copy(order="K")


def _reconstruct(*_: object) -> _PlainArray:
    """`numpy._core.multiarray._reconstruct`: an empty array, to be filled by its state."""
    return _PlainArray((0,), np.uint8)


def _scalar(dtype: object, content: object) -> Any:
    """`numpy._core.multiarray.scalar`."""
    return _array_from_bytes(content, dtype, (), "C")[()]


def _frombuffer(
    content: object, dtype: object, shape: object, order: object
) -> np.ndarray[Any, np.dtype[Any]]:
    """`numpy._core.numeric._frombuffer`, which protocol 5 uses."""
    return _array_from_bytes(content, dtype, shape, order)


def _encode(text: object, encoding: object) -> bytes:
    """`_codecs.encode`, by which protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise RefusedPickleError(f"text encoding {encoding!r}; only bytes kept as latin1 are read")
    return text.encode("latin1")


def _empty_bytes() -> bytes:
    """`builtins.bytes`, by which protocol 2 writes b''."""
    return b""


class _StandIn:
    """What a file gets for an admitted name: callable, with no attribute that the file could replace."""

    __slots__ = ("_build",)
    _build: Callable[..., Any]

    def __init__(self, build: Callable[..., Any]) -> None:
        object.__setattr__(self, "_build", build)

    def __setattr__(self, name: str, value: object) -> None:
        raise RefusedPickleError(f"the pickle tries to replace {name!r} of a NumPy function")

    def __call__(self, *arguments: object) -> Any:
        return self._build(*arguments)


_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _reconstruct,
    ("numpy", "dtype"): lambda spec, *_: _PlainDtype(spec),
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _empty_bytes,
    ("__builtin__", "bytes"): _empty_bytes,
    # NumPy renamed `core` to `_core` in 2.0; files carry the name of the NumPy that wrote them.
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
}


def _to_plain(value: Any, done: dict[int, Any]) -> Any:
    """Replace `_PlainArray`s by ordinary arrays; `done` maps the id of a value met before to its result."""
    if id(value) in done:
        return done[id(value)]
    plain = value
    if isinstance(value, _PlainArray):
        plain = np.asarray(value)
    elif isinstance(value, dict):
        plain = {key: _to_plain(item, done) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        plain = type(value)(_to_plain(item, done) for item in value)
    done[id(value)] = plain
    return plain


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        build = _ADMITTED.get((module_name, global_name))
        if build is None:
            raise RefusedPickleError(
                f"refused: it asks for the global '{module_name}.{global_name}', which could run code. "
                "Only plain containers and NumPy arrays of numbers are read. Do not open this file with "
                "pickle.load, and ask its sender what it is."
            )
        return _StandIn(build)
