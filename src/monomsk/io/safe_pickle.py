"""Pickled arrays of strangers without running their code: .pkl (also joblib's), object .npy, and PyTorch's .pt.

A pickle may name any function and have it called. Here only names are known that rebuild containers and arrays; any other
ends the reading before anything is called. Neither joblib nor torch is needed.
"""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy._core import multiarray, numeric

from monomsk.errors import FormatError

MAX_BYTES = 4 * 2**30
DAMAGED = (
    *(pickle.UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError, OverflowError, RecursionError),
    *(struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError, MemoryError),
)
"""What a file that is not whole makes the readers raise."""


class _JoblibArray:
    """What joblib writes in place of an array; the numbers follow in the file, outside the pickle."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: str

    def read(self, file: io.BytesIO) -> np.ndarray:
        """The array, from where the file stands."""
        state = self.__dict__
        if state["dtype"].hasobject:
            return load_stream(file)
        if state.get("numpy_array_alignment_bytes") is not None:
            file.read(file.read(1)[0])
        count = int(np.prod(state["shape"], dtype=np.int64))
        data = file.read(count * state["dtype"].itemsize)
        array = np.frombuffer(data, state["dtype"], count)
        return array.reshape(state["shape"], order="F" if state["order"] == "F" else "C").copy()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes as old protocols write them."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


def _tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> np.ndarray:
    """A view of a storage, copied; never beyond its ends."""
    if len(size) != len(stride) or min((offset, *size, *stride)) < 0:
        raise ValueError("a tensor of impossible shape")
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    if last >= storage.size:
        raise ValueError("a tensor that ends beyond its storage")
    steps = tuple(s * storage.itemsize for s in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False).copy()


_ARRAYS: dict[str, Any] = {"multiarray._reconstruct": multiarray._reconstruct, "multiarray.scalar": multiarray.scalar}
_ALLOWED: dict[str, Any] = {
    **{f"numpy.{core}.{name}": value for core in ("core", "_core") for name, value in _ARRAYS.items()},
    **{f"numpy.{core}.numeric._frombuffer": vars(numeric)["_frombuffer"] for core in ("core", "_core")},
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": defaultdict,
    "_codecs.encode": _encode,
    "joblib.numpy_pickle.NumpyArrayWrapper": _JoblibArray,
    **{f"{m}.{t.__name__}": t for m in ("builtins", "__builtin__") for t in (dict, list, tuple, set, frozenset)},
    **{f"{m}.{t.__name__}": t for m in ("builtins", "__builtin__") for t in (float, int, bool, complex, str, bytes, bytearray)},
}
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class _Forbidden(pickle.UnpicklingError):
    """A name that is not known."""


_Plain: Any = vars(pickle)["_Unpickler"]


class _Reader(_Plain):
    """The unpickler of the standard library, written in Python, which lets joblib's arrays be read from between its marks."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Plain.dispatch)

    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile | None = None, folder: str = "") -> None:
        super().__init__(file, encoding="latin1")
        self._bytes = file
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for, if it is known."""
        full = f"{module}.{name}"
        if full in _ALLOWED:
            return _ALLOWED[full]
        if self._archive is not None:
            if full in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"):
                return _tensor
            if module == "torch" and name in _STORAGES:
                return _STORAGES[name]
        raise _Forbidden(full)

    def persistent_load(self, pid: Any) -> np.ndarray:
        """The numbers of a tensor, from their own member of the archive."""
        if self._archive is None or not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise pickle.UnpicklingError("a reference to something outside of the file")
        dtype = np.dtype(pid[1])
        return np.frombuffer(self._archive.read(f"{self._folder}data/{pid[2]}"), dtype, int(pid[4]))

    def load_build(self) -> None:
        """Give an object its state; one of joblib's is then replaced by the numbers that follow."""
        super().load_build()
        if isinstance(self.stack[-1], _JoblibArray):
            self.stack.append(self.stack.pop().read(self._bytes))

    dispatch[pickle.BUILD[0]] = load_build


def load_stream(file: io.BytesIO) -> Any:
    """The next pickle of an open file. Raises what `DAMAGED` lists, or UnpicklingError for a forbidden name."""
    return _Reader(file).load()


def read_pickle(path: Path) -> Any:
    """Containers and arrays of a .pkl, plain or by joblib, compressed or not. Raises FormatError; runs nothing of the file."""
    return _guarded(path, lambda: load_stream(io.BytesIO(_unpacked(_bytes(path)))))


def read_object_npy(path: Path) -> Any:
    """A .npy; where it holds objects they are read as `read_pickle` does. Raises FormatError; runs nothing of the file."""

    def read() -> Any:
        file = io.BytesIO(_bytes(path))
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        dtype = header(file)[2]
        if dtype.hasobject:
            return load_stream(file)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)

    return _guarded(path, read)


def read_torch(path: Path) -> Any:
    """Containers and tensors (as arrays) of a .pt. Raises FormatError; runs nothing of the file."""

    def read() -> Any:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise FormatError(f"{path} unpacks to more than {MAX_BYTES // 2**30} GB")
            inside = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
            if len(inside) != 1:
                raise FormatError(f"{path} is not a file of torch.save (a zip archive with data.pkl)")
            return _Reader(io.BytesIO(archive.read(inside[0])), archive, inside[0].removesuffix("data.pkl")).load()

    return _guarded(path, read)


def _guarded(path: Path, read: Any) -> Any:
    try:
        return read()
    except _Forbidden as error:
        raise FormatError(
            f"{path} wants {error} to be loaded, which could run a stranger's code: only plain arrays and containers are read"
        ) from error
    except DAMAGED as error:
        raise FormatError(f"{path} is not a whole file of plain arrays ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}; check the path") from error


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path} is larger than {MAX_BYTES // 2**30} GB")
    return path.read_bytes()


def _unpacked(data: bytes) -> bytes:
    """Without the compression that joblib may have used; not beyond `MAX_BYTES`."""
    openers = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open, b"]\x00": lzma.open}
    if data[:1] == b"\x78" and data[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        out = zlib.decompressobj().decompress(data, MAX_BYTES + 1)
    elif data[:2] in openers:
        with openers[data[:2]](io.BytesIO(data)) as file:
            out = file.read(MAX_BYTES + 1)
    else:
        return data
    if len(out) > MAX_BYTES:
        raise ValueError("unpacks to more than is allowed")
    return out
