"""Pickles of strangers: arrays come out whole, and nothing of a file is ever run."""

import builtins
import bz2
import gzip
import io
import lzma
import os
import pickle
import sys
import types
import zipfile
import zlib
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest

from io_files import torch_save
from monomsk.errors import FormatError
from monomsk.io import safe_pickle

CONTENT = {0: {"a": np.arange(6.0).reshape(2, 3), "b": [np.float32(1.5), "text", (1, None, True)], "c": OrderedDict(x=b"raw")}}


class Calls:
    """Pickles into the call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def attacks(trace: Path):
    writes = f"open({str(trace)!r}, 'w').close()"
    return {
        "system": Calls(os.system, f"touch {trace}"),
        "eval": Calls(builtins.eval, writes),
        "exec": Calls(builtins.exec, writes),
        "getattr": Calls(builtins.getattr, "text", "upper"),
        "open": Calls(builtins.open, str(trace), "w"),
        "inside": {"poses": [np.zeros(3), Calls(os.system, f"touch {trace}")]},
        "factory": defaultdict(os.getcwd),
    }


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_back(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(CONTENT, protocol))
    read = safe_pickle.read_pickle(tmp_path / "a.pkl")[0]
    np.testing.assert_array_equal(read["a"], CONTENT[0]["a"])
    assert read["b"] == CONTENT[0]["b"]
    assert read["c"] == CONTENT[0]["c"]


@pytest.mark.parametrize("name", ["system", "eval", "exec", "getattr", "open", "inside", "factory"])
@pytest.mark.parametrize("suffix", ["pkl", "npy", "pt"])
def test_nothing_of_a_file_is_run(tmp_path: Path, name: str, suffix: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / f"bad.{suffix}"
    bad = attacks(trace)[name]
    if suffix == "pkl":
        path.write_bytes(pickle.dumps(bad))
    elif suffix == "npy":
        array = np.empty(1, object)
        array[0] = bad
        np.save(path, array, allow_pickle=True)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(bad))
    reader = {"pkl": safe_pickle.read_pickle, "npy": safe_pickle.read_object_npy, "pt": safe_pickle.read_torch}[suffix]
    with pytest.raises(FormatError, match=r"wants \w+\.\w+ to be loaded"):
        reader(path)
    assert not trace.exists()


def joblib_dump(value: dict[str, np.ndarray]) -> bytes:
    """As joblib 1.x writes it: a wrapper object in place of each array, the aligned numbers right behind."""
    module, name = types.ModuleType("joblib.numpy_pickle"), "NumpyArrayWrapper"
    wrapper = type(name, (), {"__module__": module.__name__})
    setattr(module, name, wrapper)

    class Pickler(pickle._Pickler):
        def save(self, obj, save_persistent_id=True):
            if not isinstance(obj, np.ndarray):
                return super().save(obj, save_persistent_id)
            stands = wrapper()
            order = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
            stands.__dict__.update(subclass=np.ndarray, shape=obj.shape, order=order, dtype=obj.dtype, allow_mmap=True)
            stands.__dict__["numpy_array_alignment_bytes"] = 16
            super().save(stands)
            if self.proto >= 4:
                self.framer.commit_frame(force=True)
            padding = 16 - (out.tell() + 1) % 16
            out.write(bytes([padding]) + b"\xff" * padding + obj.tobytes(order))

    out = io.BytesIO()
    sys.modules["joblib"], sys.modules[module.__name__] = types.ModuleType("joblib"), module
    try:
        Pickler(out, protocol=3).dump(value)
    finally:
        del sys.modules["joblib"], sys.modules[module.__name__]
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_joblib_arrays_come_back_without_joblib(tmp_path: Path, pack) -> None:
    value = {"c": np.arange(12.0).reshape(3, 4), "f": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)), "after": np.ones(2)}
    (tmp_path / "a.pkl").write_bytes(pack(joblib_dump(value)))
    read = safe_pickle.read_pickle(tmp_path / "a.pkl")
    for key, array in value.items():
        np.testing.assert_array_equal(read[key], array)
        assert read[key].dtype == array.dtype


def test_tensors_come_back_without_torch(tmp_path: Path) -> None:
    value = {"K": np.arange(18.0).reshape(2, 3, 3), "inner": {"betas": np.ones((2, 10))}}
    torch_save(tmp_path / "a.pt", value)
    read = safe_pickle.read_torch(tmp_path / "a.pt")
    np.testing.assert_array_equal(read["K"], value["K"])
    np.testing.assert_array_equal(read["inner"]["betas"], value["inner"]["betas"])


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    torch_save(tmp_path / "a.pt", {"K": np.zeros((4, 4))}, numel=3)
    with pytest.raises(FormatError, match="beyond its storage"):
        safe_pickle.read_torch(tmp_path / "a.pt")


@pytest.mark.parametrize("reader", [safe_pickle.read_pickle, safe_pickle.read_object_npy, safe_pickle.read_torch])
def test_damaged_files_are_told(tmp_path: Path, reader) -> None:
    (tmp_path / "a").write_bytes(pickle.dumps(CONTENT)[:40])
    with pytest.raises(FormatError, match="not a whole file"):
        reader(tmp_path / "a")
    with pytest.raises(FormatError, match="cannot read"):
        reader(tmp_path / "none")
