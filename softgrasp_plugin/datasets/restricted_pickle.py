"""Reading a pickle that somebody sent, without running any of it.

Unpickling normally imports and calls whatever the file names. Here a file can reach nothing of Python or
NumPy: the few names that a pickled NumPy array needs are answered by the stand-ins of this module, which
check every value they are given; any other name is refused. The result holds dicts with keys of text, lists,
tuples, strings, numbers, None and arrays of numbers or text.

Neither does a small file grow large or slow: nothing is hashed but text, nothing shown that may be nested,
and the arrays together are no larger than the file (a pickler writes the bytes of each).
"""

import io
import math
import pickle
import pickletools
import re
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

# Numbers and text. "O" (object) is the dangerous one: its elements are pickled values again.
_PLAIN_DTYPE = re.compile(r"[<>=|]?(?:[biufc]\d{1,2}|[SU][1-9]\d{0,5})")
_BYTE_ORDERS = ("<", ">", "=", "|")

# Opcodes that plain data never needs. An EXT code may be answered from a process-wide cache without asking
# `find_class`; a set would hash whatever it is given.
_REFUSED_OPCODES = frozenset(
    {"EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER"}
    | {"EMPTY_SET", "ADDITEMS", "FROZENSET"}
)
_MEMO_OPCODES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})

MAX_BYTES = 1 << 28
"""A recording of an hour has some 30 MB."""
_MAX_OPCODES = 2_000_000
_MAX_DIMENSIONS, _MAX_LENGTH = 32, 1 << 40

# What the unpickler is known to raise on damaged or hostile input.
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
    UnboundLocalError,
    ValueError,
    struct.error,
)


class RefusedPickleError(ValueError):
    """The pickle asks for more than plain data, or is damaged; nothing in it was run."""


def load_plain_pickle(path: Path) -> Any:
    """Read the plain data in the pickle at `path`.

    Args:
        path: a pickle of any protocol, written with any NumPy.

    Returns:
        Dicts, lists, tuples, strings, bytes, numbers, None and NumPy arrays of numbers or text.

    Raises:
        RefusedPickleError: the file names a global other than NumPy's array reconstruction (the message says
            which), holds an array of Python objects, would grow out of proportion, is larger than `MAX_BYTES`
            or no ordinary file, or is not a readable pickle.
        OSError: the file cannot be read.
    """
    if not path.is_file():
        raise RefusedPickleError(f"{path} is not an ordinary file; expected a pickled dict of NumPy arrays.")
    if path.stat().st_size > MAX_BYTES:
        raise RefusedPickleError(
            f"{path} has {path.stat().st_size} bytes; a recording has {MAX_BYTES} at most."
        )
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
        return _to_plain(_PlainUnpickler(data).load(), {})
    except RefusedPickleError:
        raise
    except _UNPICKLING_FAILURES as error:
        reason = str(error)[:200]
        raise RefusedPickleError(
            f"not a readable pickle of plain data ({type(error).__name__}: {reason})"
        ) from error


def _check_opcodes(data: bytes) -> None:
    """Refuse, before anything is built, what could bypass `find_class` or exhaust the memory."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in _REFUSED_OPCODES:
            raise RefusedPickleError(
                f"opcode {opcode.name} is not allowed; only plain containers and NumPy arrays are"
            )
        if count >= _MAX_OPCODES:
            raise RefusedPickleError(f"more than {_MAX_OPCODES} steps: not a few arrays")
        if opcode.name in _MEMO_OPCODES and isinstance(argument, int) and argument > count:
            raise RefusedPickleError(
                "a memo index is beyond anything stored so far: not written by a pickler"
            )


class _PlainDtype:
    """Stands for a `numpy.dtype` while the file is read."""

    __slots__ = ("dtype",)

    def __init__(self, spec: object) -> None:
        if not isinstance(spec, str) or not _PLAIN_DTYPE.fullmatch(spec):
            shown = repr(spec[:20]) if isinstance(spec, str) else type(spec).__name__
            raise RefusedPickleError(f"array of type {shown}; only numbers and text are read")
        self.dtype = np.dtype(spec)

    def __setstate__(self, state: object) -> None:
        # (version, byte order, subarray, names, fields, …): the three after the order make a compound type.
        if (
            not isinstance(state, tuple)
            or len(state) < 5
            or not isinstance(state[1], str)
            or state[1] not in _BYTE_ORDERS
            or any(part is not None for part in state[2:5])
        ):
            raise RefusedPickleError("array of a compound type; only numbers and text are read")
        self.dtype = self.dtype.newbyteorder(state[1])  # type: ignore[arg-type]


class _PlainArray:
    """Stands for an array that is still to be given its state, as a pickle may give any."""

    __slots__ = ("_reader", "array")

    def __init__(self, reader: "_PlainUnpickler", *_: object) -> None:
        self._reader = reader
        self.array: np.ndarray[Any, np.dtype[Any]] = np.empty(0, np.uint8)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise RefusedPickleError("array with a malformed state")
        _, shape, dtype, fortran_order, content = state
        order = "F" if fortran_order is True else "C"
        array = _array_from_bytes(self._reader, content, dtype, shape, order)
        self.array = array.astype(array.dtype.newbyteorder("="), copy=False)  # as NumPy does


def _array_from_bytes(
    reader: "_PlainUnpickler", content: object, dtype: object, shape: object, order: object
) -> np.ndarray[Any, np.dtype[Any]]:
    """`numpy._core.numeric._frombuffer`, which protocol 5 uses."""
    if isinstance(content, str):  # Python 2 keeps bytes as Latin-1 text
        content = _encode(reader, content, "latin1")
    if (
        not isinstance(content, bytes | bytearray)
        or not isinstance(dtype, _PlainDtype)
        or not isinstance(shape, tuple)
        or len(shape) > _MAX_DIMENSIONS
        or not all(type(length) is int and 0 <= length <= _MAX_LENGTH for length in shape)
        or not isinstance(order, str)
        or order not in ("C", "F")
    ):
        raise RefusedPickleError("array with a malformed state")
    expected = math.prod(shape) * dtype.dtype.itemsize
    if len(content) != expected:
        raise RefusedPickleError(
            f"array of {dtype.dtype}, shape {shape}, needs {expected} bytes; the file has {len(content)}"
        )
    reader.take(expected)
    return np.ndarray(shape, dtype.dtype, bytes(content), order="F" if order == "F" else "C").copy(order="K")


def _scalar(reader: "_PlainUnpickler", dtype: object, content: object) -> Any:
    """`numpy._core.multiarray.scalar`."""
    return _array_from_bytes(reader, content, dtype, (), "C")[()]


def _encode(reader: "_PlainUnpickler", text: object, encoding: object) -> bytes:
    """`_codecs.encode`, by which protocol 2 writes bytes."""
    if not isinstance(text, str) or not isinstance(encoding, str) or encoding != "latin1":
        raise RefusedPickleError("text of an encoding that no bytes have; only bytes kept as latin1 are read")
    reader.take(len(text))
    return text.encode("latin1")


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
    ("numpy", "ndarray"): _PlainArray,
    ("numpy", "dtype"): lambda _, spec, *__: _PlainDtype(spec),
    ("_codecs", "encode"): _encode,
    # Protocol 2 writes b'' as a call of `bytes`.
    ("builtins", "bytes"): lambda _: b"",
    ("__builtin__", "bytes"): lambda _: b"",
    # NumPy renamed `core` to `_core` in 2.0; files carry the name of the NumPy that wrote them.
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _PlainArray for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array_from_bytes for core in ("core", "_core")},
}


def _to_plain(value: Any, done: dict[int, Any]) -> Any:
    """Replace `_PlainArray`s by their arrays; `done` maps the id of a value met before to its result."""
    if id(value) in done:
        return done[id(value)]
    plain = value
    if isinstance(value, _PlainArray):
        plain = value.array
    elif isinstance(value, dict):
        plain = {key: _to_plain(item, done) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        plain = type(value)(_to_plain(item, done) for item in value)
    done[id(value)] = plain
    return plain


_PythonUnpickler: Any = vars(pickle)["_Unpickler"]  # the fallback of pickle.Unpickler; stubs do not know it


class _PlainUnpickler(_PythonUnpickler):
    """Python's own unpickler in Python: unlike the one in C its memo is a dict, which no index can inflate,
    and the opcodes that hash can be watched.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(_PythonUnpickler.dispatch)

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._bytes_left = 2 * len(data)  # protocol 2 encodes each content before it becomes an array

    def take(self, size: int) -> None:
        """Account for `size` bytes made from the file."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise RefusedPickleError("its arrays together are larger than the file: not written by a pickler")

    def find_class(self, module_name: str, global_name: str) -> Any:
        build = _ADMITTED.get((module_name, global_name))
        if build is None:
            raise RefusedPickleError(
                f"refused: it asks for the global '{module_name[:80]}.{global_name[:80]}', which could run "
                "code. Only plain containers and NumPy arrays of numbers are read. Do not open this file "
                "with pickle.load, and ask its sender what it is."
            )
        return _StandIn(partial(build, self))

    def _load_dict(self) -> None:
        _require_text(self.stack[::2])
        super().load_dict()

    def _load_setitem(self) -> None:
        _require_text(self.stack[-2:-1])
        super().load_setitem()

    def _load_setitems(self) -> None:
        _require_text(self.stack[::2])
        super().load_setitems()

    dispatch[pickle.DICT[0]] = _load_dict
    dispatch[pickle.SETITEM[0]] = _load_setitem
    dispatch[pickle.SETITEMS[0]] = _load_setitems


def _require_text(keys: list[Any]) -> None:
    """Only the hash of text takes a time that the file cannot choose."""
    if not all(isinstance(key, str | bytes) for key in keys):
        raise RefusedPickleError("a dict with a key that is not text")
