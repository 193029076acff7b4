"""Keypoints as plain arrays: keypoints.npz.

| array | shape | meaning |
|---|---|---|
| `version` | () | 1 |
| `time` | (T,) | [s] |
| `names` | (K,) text | keypoint names |
| `xy` | (T, K, 2) | [px], origin at the top left of the upright picture |
| `sigma` | (T, K) | standard deviation per axis [px]; inf where missing |
| `depth` | (T, K, 3) | optional: the estimator's own three-dimensional guess [m], camera axes |
| `source` | () text | what found them |
| `warnings` | (W,) text | |

No pickled objects: `numpy.load(path, allow_pickle=False)` opens it.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from monomsk.errors import FormatError
from monomsk.io.atomic import replacing
from monomsk.types import Keypoints

VERSION = 1
MAX_BYTES = 2**30


def write(path: Path | str, keypoints: Keypoints) -> None:
    """Write keypoints.npz, compressed.

    Raises:
        OutputError: the file cannot be written.
    """
    arrays = {
        "version": np.array(VERSION),
        "time": keypoints.time,
        "names": np.array(keypoints.names, dtype=np.str_),
        "xy": keypoints.xy,
        "sigma": keypoints.sigma,
        "source": np.array(keypoints.source, dtype=np.str_),
        "warnings": np.array(keypoints.warnings, dtype=np.str_),
    }
    if keypoints.depth is not None:
        arrays["depth"] = keypoints.depth
    with replacing(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(path: Path | str) -> Keypoints:
    """Read keypoints.npz.

    Raises:
        FormatError: the file is missing, damaged, of a later version, or its arrays do not fit each other.
    """
    path = Path(path)
    arrays = _load(path)
    for name in ("version", "time", "names", "xy", "sigma"):
        if name not in arrays:
            raise FormatError(f"{path} has no array '{name}'; see the documentation of keypoints.npz")
    if arrays["version"].shape != () or int(arrays["version"]) != VERSION:
        raise FormatError(f"{path} is of version {arrays['version']}; this monomsk reads version {VERSION}")
    names = tuple(str(name) for name in arrays["names"].ravel())
    time = _floats(path, arrays, "time")
    shapes = {"time": (time.size,), "xy": (time.size, len(names), 2), "sigma": (time.size, len(names))}
    if "depth" in arrays:
        shapes["depth"] = (time.size, len(names), 3)
    values = {name: _floats(path, arrays, name) for name in shapes}
    for name, shape in shapes.items():
        if values[name].shape != shape:
            raise FormatError(f"{path}: '{name}' has the shape {values[name].shape}, but {shape} follows from 'time' and 'names'")
    if time.size < 2 or not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise FormatError(f"{path}: 'time' must hold two instants at least, and increase")
    seen = np.isfinite(values["sigma"])
    if np.isnan(values["sigma"]).any() or (values["sigma"][seen] < 0).any() or not np.isfinite(values["xy"][seen]).all():
        raise FormatError(f"{path}: 'sigma' must be positive (inf where missing), and 'xy' finite where 'sigma' is")
    source = str(arrays["source"]) if "source" in arrays else path.name
    warnings = tuple(str(text) for text in arrays["warnings"].ravel()) if "warnings" in arrays else ()
    return Keypoints(time, names, values["xy"], values["sigma"], values.get("depth"), source, warnings=warnings)


def _floats(path: Path, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    if arrays[name].dtype.kind not in "fiu":
        raise FormatError(f"{path}: '{name}' should hold numbers, not {arrays[name].dtype}")
    return arrays[name].astype(float)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise FormatError(f"{path} unpacks to more than {MAX_BYTES // 2**30} GB, which no clip's keypoints do")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError) as error:
        raise FormatError(f"{path} is not a whole .npz file of plain arrays ({error})") from error
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}; check the path") from error
