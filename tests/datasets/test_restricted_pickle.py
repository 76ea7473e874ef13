import builtins
import contextlib
import io
import os
import pickle
import pickletools
import resource
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softgrasp_plugin.datasets.restricted_pickle import (
    RefusedPickleError,
    load_plain_pickle,
    loads_plain_pickle,
)

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Calling:
    """Pickles as a call of `function(*arguments)`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


class Stateful:
    """Pickles as a call, then a BUILD with `state`."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...], state: Any) -> None:
        self.parts = (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.parts


def hostile_payloads(trap: Path) -> dict[str, Any]:
    """Objects whose unpickling would create the file `trap`, read it, or do worse, by global."""
    touch = f"open({str(trap)!r}, 'w').close()"
    return {
        "posix.system": Calling(os.system, f"touch {trap}"),
        "builtins.eval": Calling(eval, touch),
        "builtins.exec": Calling(exec, touch),
        "io.open": Calling(open, str(trap), "w"),
        "builtins.getattr": Calling(getattr, "text", "upper"),
        "numpy.load": Calling(np.load, str(trap)),
        "numpy.memmap": Calling(np.memmap, str(trap), "u1", "w+", 0, 16),
        "numpy.fromfile": Calling(np.fromfile, str(trap)),
        "numpy.testing._private.utils.runstring": Calling(np.testing._private.utils.runstring, touch, {}),
        "collections.OrderedDict": Calling(__import__("collections").OrderedDict),
        "builtins.bytearray": Calling(bytearray, 8),
        "importlib.import_module": Calling(__import__("importlib").import_module, "antigravity"),
    }


@pytest.mark.parametrize("name", list(hostile_payloads(Path("unused"))))
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("nest", ["plain", "in a dict", "as a dtype", "as a state"])
def test_refuses_and_runs_nothing(tmp_path: Path, name: str, protocol: int, nest: str) -> None:
    trap = tmp_path / "trap"
    payload = hostile_payloads(trap)[name]
    wrapped = {
        "plain": payload,
        "in a dict": {"joint": np.zeros((3, 6)), "force": [1, (payload,)]},
        "as a dtype": Calling(np.ndarray, (2,), payload),
        "as a state": Stateful(np.ndarray, ((0,), "u1"), payload),
    }[nest]
    data = pickle.dumps(wrapped, protocol)
    named = name.rpartition(".")[2]
    with pytest.raises(RefusedPickleError, match=rf"global '[\w.]*\b{named}'"):
        loads_plain_pickle(data)
    assert not trap.exists()


def test_names_the_file_and_the_global(tmp_path: Path) -> None:
    path = tmp_path / "gift.pickle"
    path.write_bytes(pickle.dumps(Calling(os.system, "true")))
    with pytest.raises(RefusedPickleError, match=r"gift\.pickle.*'posix\.system'"):
        load_plain_pickle(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),  # GLOBAL
        (b"(S'true'\nios\nsystem\n.", "os.system"),  # INST
        (b"(cos\nsystem\nS'true'\no.", "os.system"),  # OBJ
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "os.system"),  # STACK_GLOBAL
        (b"\x80\x04\x8c\x05numpy\x8c\x0bctypeslib.x\x93.", "numpy.ctypeslib.x"),  # dotted name
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93)\x81.", "builtins.eval"),  # NEWOBJ
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"Psomething\n.", "PERSID"),
        (b"\x80\x02]r\xff\xff\xff\x7f.", "memo index"),  # LONG_BINPUT that would allocate 16 GB
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b"x.", "not a readable pickle"),  # BYTEARRAY8
        (b"garbage", "not a readable pickle"),
        (pickle.dumps({"joint": 1})[:-4], "not a readable pickle"),
        (b"cnumpy\nndarray\n\x81.", "not a readable pickle"),
    ],
)
def test_refuses_raw_opcodes(data: bytes, message: str) -> None:
    with pytest.raises(RefusedPickleError, match=message):
        loads_plain_pickle(data)


def test_admitted_names_cannot_be_changed_from_inside() -> None:
    # BUILD with a slot state sets attributes: here on what stands for numpy.ndarray.
    data = b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93N}\x8c\x06_build\x8c\x01x\x73\x86b."
    with pytest.raises(RefusedPickleError):
        loads_plain_pickle(data)
    assert loads_plain_pickle(pickle.dumps(np.arange(3))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}, None], dtype=object),
        np.array([Calling(os.system, "true")], dtype=object),
        np.zeros(2, dtype=[("x", "f8"), ("y", "O")]),
        np.array(["2024-01-01"], dtype="datetime64[D]"),
        np.ma.masked_array([1, 2]),
    ],
    ids=["object", "hostile object", "compound", "datetime", "masked"],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_refuses_arrays_of_anything_but_numbers_and_text(array: Any, protocol: int) -> None:
    with pytest.raises(RefusedPickleError):
        loads_plain_pickle(pickle.dumps(array, protocol))


@pytest.mark.parametrize(
    "state",
    [
        (1, (10**6,), np.dtype("f8"), False, b"short"),
        (1, (-1,), np.dtype("f8"), False, b"12345678"),
        (1, (1,), np.dtype("f8"), False, [object]),
        (1, "shape", np.dtype("f8"), False, b""),
        (1, (1,), "f8", False, b"12345678"),
        ("too", "short"),
        None,
    ],
)
def test_refuses_malformed_array_states(state: Any) -> None:
    data = pickle.dumps(Stateful(np.ndarray, ((0,), "u1"), state), 4)
    if state is None:  # pickle writes no BUILD for None; the array stays empty
        assert loads_plain_pickle(data).size == 0
        return
    with pytest.raises(RefusedPickleError):
        loads_plain_pickle(data)


def test_survives_shared_and_endless_nesting() -> None:
    bomb: Any = []
    for _ in range(200):
        bomb = [bomb, bomb]  # 2^200 leaves when walked one by one
    loads_plain_pickle(pickle.dumps(bomb))
    loop: Any = []
    loop.append(loop)
    with pytest.raises(RefusedPickleError):
        loads_plain_pickle(pickle.dumps(loop))


def _nested(levels: int, make: Callable[[bytes], bytes], leaf: bytes) -> tuple[bytes, bytes]:
    """Code that stores `leaf` as memo 0 and make(get memo i) as memo i + 1, and code that gets the last."""
    build = leaf + b"\x940"
    for index in range(levels):
        build += make(b"h" + bytes([index])) + b"\x940"
    return build, b"h" + bytes([levels])


_PAIRS, _LAST_PAIR = _nested(60, lambda ref: ref + ref + b"\x86", b")")
_ARRAY = b"cnumpy\nndarray\n)R"
_DTYPE = b"cnumpy\ndtype\n"
_BYTES = b"B" + struct.pack("<I", 1 << 16) + bytes(1 << 16)
_FILL = b"(K\x01J\x00\x00\x01\x00\x85h\x01\x89h\x00tb"  # the state of an array of 2^16 of memo 0's bytes

BOMBS = {
    "hash of a key": b"\x80\x04" + _PAIRS + b"}" + _LAST_PAIR + b"K\x01s.",
    "hash of a key, many": b"\x80\x04" + _PAIRS + b"}(" + _LAST_PAIR + b"K\x01u.",
    "hash of a key, DICT": b"\x80\x04" + _PAIRS + b"(" + _LAST_PAIR + b"K\x01d.",
    "hash of a set's item": b"\x80\x04" + _PAIRS + b"\x8f(" + _LAST_PAIR + b"\x90.",
    "hash of a frozen set's item": b"\x80\x04" + _PAIRS + b"(" + _LAST_PAIR + b"\x91.",
    "hashes that collide": b"\x80\x04}("
    + b"".join(b"\x8a\x0c" + (n * (2**61 - 1)).to_bytes(12, "little") + b"N" for n in range(30_000))
    + b"u.",
    "memo index, text": b"]p150000000\n.",
    "memo index, binary": b"\x80\x02]r\x80\xd1\xf0\x08.",
    "rows without bytes": b"\x80\x04"
    + _ARRAY
    + b"(K\x01J\xff\xff\xff\x3fK\x06\x86"
    + _DTYPE
    + b"\x8c\x02S0\x85R\x89C\x00tb.",
    "dtype shown": b"\x80\x04" + _PAIRS + _DTYPE + _LAST_PAIR + b"\x85R.",
    "encoding shown": b"\x80\x04" + _PAIRS + b"c_codecs\nencode\n\x8c\x01a" + _LAST_PAIR + b"\x86R.",
    "byte order compared": b"\x80\x04" + _PAIRS + _DTYPE + b"\x8c\x02f8\x85R(K\x01" + _LAST_PAIR + b"NNNtb.",
    "shape of huge numbers": b"\x80\x04"
    + b"\x8b"
    + struct.pack("<i", 60_000)
    + b"\x7f" * 60_000
    + b"\x940"
    + _ARRAY
    + b"(K\x01("
    + b"h\x00" * 3000
    + b"t"
    + _DTYPE
    + b"\x8c\x02u1\x85R\x89C\x00tb.",
    "one content, many arrays": b"\x80\x04"
    + _BYTES
    + b"\x940"
    + _DTYPE
    + b"\x8c\x02u1\x85R\x940]("
    + (_ARRAY + _FILL) * 20_000
    + b"e.",
    "one text, encoded often": b"\x80\x04X"
    + struct.pack("<I", 1 << 16)
    + b"a" * (1 << 16)
    + b"\x940]("
    + b"c_codecs\nencode\nh\x00\x8c\x06latin1\x86R" * 20_000
    + b"e.",
    "steps without end": b"\x80\x02" + b"N0" * 1_500_000 + b"N.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_small_files_stay_small(name: str) -> None:
    """Refused in bounded memory and time: in a child that has 600 MB more and 20 s of processor time."""
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (used + 600 * 2**20,) * 2)
            resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
            try:
                loads_plain_pickle(BOMBS[name])
            except RefusedPickleError as error:
                code = 0 if len(str(error)) < 500 and not isinstance(error.__cause__, MemoryError) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_files_too_large_and_pipes_are_not_opened(tmp_path: Path) -> None:
    huge, pipe = tmp_path / "huge.pickle", tmp_path / "pipe.pickle"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RefusedPickleError, match=r"huge\.pickle has 1099511627776 bytes"):
        load_plain_pickle(huge)
    os.mkfifo(pipe)
    with pytest.raises(RefusedPickleError, match=r"pipe\.pickle is not an ordinary file"):
        load_plain_pickle(pipe)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.pickle"
    path.write_bytes(b"")
    with pytest.raises(RefusedPickleError, match="empty"):
        load_plain_pickle(path)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_reads_what_recordings_hold(protocol: int) -> None:
    content = {
        "joint": np.random.default_rng(0).random((5, 6)),
        "fortran": np.asfortranarray(np.arange(12, dtype=">i4").reshape(3, 4)),
        "empty": np.zeros((0, 6)),
        "scalar": np.float64(1.5),
        "text": np.array(["ä", "b"]),
        "more": [1, -(2**70), 2.5, True, None, "ü", b"\x00\xff", b"", (1, (2,)), {"k": np.int64(3)}],
    }
    data = pickle.dumps(content, protocol)
    loaded, expected = loads_plain_pickle(data), pickle.loads(data)
    assert set(loaded) == set(content)
    for key in ("joint", "fortran", "empty", "scalar", "text"):
        np.testing.assert_array_equal(loaded[key], content[key])
        assert loaded[key].dtype == expected[key].dtype
        assert type(loaded[key]) is type(expected[key])
    assert loaded["more"] == content["more"]


def test_reads_arrays_of_old_numpy() -> None:
    # NumPy before 2.0 wrote `numpy.core`, as in the authors' files.
    data = pickle.dumps(np.arange(4.0).reshape(2, 2), protocol=0).replace(b"numpy._core", b"numpy.core")
    assert b"numpy.core.multiarray" in data
    np.testing.assert_array_equal(loads_plain_pickle(data), [[0.0, 1.0], [2.0, 3.0]])


@given(
    hnp.arrays(
        st.sampled_from(["<f8", ">f4", "i8", "u1", "?", "<U3", "S2", "c16"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    st.sampled_from(PROTOCOLS),
)
def test_arrays_round_trip(array: Any, protocol: int) -> None:
    data = pickle.dumps(array, protocol)
    loaded, expected = loads_plain_pickle(data), pickle.loads(data)  # NumPy itself turns ">f4" into "<f4"
    assert type(loaded) is np.ndarray
    assert (loaded.dtype, loaded.shape) == (expected.dtype, expected.shape)
    assert loaded.tobytes() == expected.tobytes()


ADMITTED_GLOBALS = [
    "numpy\nndarray",
    "numpy\ndtype",
    "numpy.core.multiarray\n_reconstruct",
    "_codecs\nencode",
]


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"(", b")", b"]", b"}", b"N", b"\x85", b"\x86", b"\x87", b"t", b"0", b"2", b"\x94"]
            ),
            st.sampled_from([b"R", b"b", b"\x81", b"\x92", b"o", b"s", b"u", b"e", b"a", b"\x93", b"h\x00"]),
            st.sampled_from([b"c" + name.encode() + b"\n" for name in [*ADMITTED_GLOBALS, "os\nabort"]]),
            st.sampled_from(
                [b"K\x02", b"\x8c\x02f8", b"\x8c\x01<", b"C\x01x", b"\x8c\x05numpy", b"\x8c\x07ndarray"]
            ),
        ),
        max_size=25,
    )
)
def test_any_program_ends_in_plain_data_or_a_refusal(opcodes: list[bytes]) -> None:
    data = b"\x80\x04" + b"".join(opcodes) + b"."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "__import__", _no_import)
        with contextlib.suppress(RefusedPickleError):
            loads_plain_pickle(data)


def _no_import(name: str, *_: Any) -> Any:
    raise AssertionError(f"the pickle imported {name}")


def test_programs_of_the_fuzzer_are_programs() -> None:
    data = b"\x80\x04cnumpy\ndtype\n\x8c\x02f8\x85R."
    pickletools.dis(data, out=io.StringIO())
    loads_plain_pickle(data)


_FROM_BUFFER = np._core.numeric._frombuffer  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "arguments",
    [
        (12, np.dtype("u1"), (2,), "C"),
        (b"ab", "u1", (2,), "C"),
        (b"ab", np.dtype("u1"), [2], "C"),
        (b"ab", np.dtype("u1"), 2, "C"),
        (b"ab", np.dtype("u1"), (2,) + (1,) * 32, "C"),
        (b"ab", np.dtype("u1"), (2.0,), "C"),
        (b"ab", np.dtype("u1"), (True, 2), "C"),
        (b"ab", np.dtype("u1"), (-2,), "C"),
        (b"ab", np.dtype("u1"), (2,), "K"),
        (b"ab", np.dtype("u1"), (2,), 0),
    ],
)
def test_one_thing_wrong_with_an_array_is_enough(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(RefusedPickleError, match="array with a malformed state"):
        loads_plain_pickle(pickle.dumps(Calling(_FROM_BUFFER, *arguments), 4))
    good = loads_plain_pickle(pickle.dumps(Calling(_FROM_BUFFER, b"ab", np.dtype("u1"), (2,), "F"), 4))
    assert good.tolist() == [97, 98]


@pytest.mark.parametrize(
    "state",
    [
        [3, "<", None, None, None, -1, -1, 0],
        (3, "<", None, None),
        (3, 60, None, None, None),
        (3, "?", None, None, None),
        (3, "<", ("u1", 2), None, None),
        (3, "<", None, ("a",), None),
        (3, "<", None, None, {"a": 1}),
    ],
)
def test_one_thing_wrong_with_a_dtype_is_enough(state: Any) -> None:
    with pytest.raises(RefusedPickleError, match="array of a compound type"):
        loads_plain_pickle(pickle.dumps(Stateful(np.dtype, ("u2", False, True), state), 4))


@pytest.mark.parametrize("arguments", [(12, "latin1"), ("ab", 12), ("ab", "utf-8")])
def test_bytes_kept_as_other_text_are_refused(arguments: tuple[Any, ...]) -> None:
    encode = __import__("_codecs").encode
    with pytest.raises(RefusedPickleError, match="only bytes kept as latin1"):
        loads_plain_pickle(pickle.dumps(Calling(encode, *arguments), 4))


@pytest.mark.parametrize(
    ("array", "shown"),
    [(np.array([None]), "'O8'"), (np.zeros(1, "M8[s]"), "'M8'"), (np.zeros(1, "V3"), "'V3'")],
)
def test_the_refused_type_is_shown(array: Any, shown: str) -> None:
    with pytest.raises(RefusedPickleError, match=f"array of type {shown}"):
        loads_plain_pickle(pickle.dumps(array, 2))


def test_why_a_pickle_is_not_readable_is_said() -> None:
    with pytest.raises(RefusedPickleError, match=r"plain data \(\w+: .*\w+.*\)"):
        loads_plain_pickle(pickle.dumps([1, 2, 3])[:-1])
