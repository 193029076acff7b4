"""Files of other programs, written as they write them, without them."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np


def torch_save(path: Path, value: dict, numel: int | None = None) -> None:
    """As torch.save writes it (zip): storages in members of their own, tensors rebuilt from them."""
    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}

    def _rebuild_tensor_v2(*_):
        raise AssertionError

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    kind = type("FloatStorage", (), {"__module__": "torch"})
    modules["torch"].FloatStorage = kind
    storages: list[np.ndarray] = []

    class Storage:
        def __init__(self, array):
            self.array = array

    class Tensor:
        def __init__(self, array):
            self.array = np.asarray(array, "<f4")

        def __reduce__(self):
            strides = tuple(s // 4 for s in np.ascontiguousarray(self.array).strides)
            return _rebuild_tensor_v2, (Storage(self.array), 0, self.array.shape, strides, False, OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Storage):
                return None
            storages.append(obj.array)
            return ("storage", kind, str(len(storages) - 1), "cpu", obj.array.size if numel is None else numel)

    def wrapped(item):
        return {k: wrapped(v) for k, v in item.items()} if isinstance(item, dict) else Tensor(item)

    out = io.BytesIO()
    sys.modules.update(modules)
    try:
        Pickler(out, 2).dump(wrapped(value))
    finally:
        for name in modules:
            del sys.modules[name]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        for i, array in enumerate(storages):
            archive.writestr(f"archive/data/{i}", np.ascontiguousarray(array).tobytes())
