"""The user's own SMPL or SMPL-X file (.npz, or a .pkl of plain arrays). monomsk ships none."""

import zipfile
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from monomsk.errors import FormatError
from monomsk.io import safe_pickle
from monomsk.mesh_track import VERTEX_COUNT, Topology
from monomsk.model.body_surface import BodySurface

ARRAYS = ("v_template", "shapedirs", "posedirs", "weights", "J_regressor", "kintree_table")


def read_surface(path: Path, shapes: int) -> tuple[BodySurface, Topology | None]:
    """The body with its first `shapes` directions of shape, and which one it is by its number of vertices.

    Raises FormatError for what is not such a file; SMPL's original .pkl is refused, as it holds objects of chumpy.
    """
    path = Path(path)
    try:
        content = _arrays(path) if path.suffix.lower() == ".npz" else safe_pickle.read_pickle(path)
    except FormatError as error:
        if "chumpy" not in str(error) and "scipy" not in str(error):
            raise
        raise FormatError(
            f"{path} holds objects of chumpy or scipy: with them installed, save the arrays {', '.join(ARRAYS)} as .npz and give that"
        ) from error
    missing = [name for name in ARRAYS if name not in content] if isinstance(content, dict) else list(ARRAYS)
    if missing:
        raise FormatError(f"{path} is no body model: it has no {', '.join(missing)}")
    try:
        rest, directions, corrections, weights, regressor = (np.asarray(content[name], float) for name in ARRAYS[:5])
        parents = np.asarray(content["kintree_table"])[0].astype(np.int64)
    except (ValueError, TypeError, IndexError) as error:
        raise FormatError(f"{path} is no body model of plain arrays ({error})") from error
    count, joints = len(rest), len(parents)
    wanted = {
        "v_template": (rest.shape, (count, 3)),
        "posedirs": (corrections.shape, (count, 3, 9 * (joints - 1))),
        "weights": (weights.shape, (count, joints)),
        "J_regressor": (regressor.shape, (joints, count)),
        "shapedirs": (directions.shape[:2], (count, 3)),
    }
    wrong = [f"{name} {shape}, not {need}" for name, (shape, need) in wanted.items() if shape != need]
    if wrong or directions.ndim != 3 or directions.shape[2] < shapes or any(not 0 <= p < i for i, p in enumerate(parents) if i):
        raise FormatError(f"{path}: arrays of the body model do not fit each other ({'; '.join(wrong) or 'shapedirs or kintree_table'})")
    directions = directions[..., :shapes]
    surface = BodySurface(
        rest=jnp.asarray(rest),
        shapes=jnp.asarray(directions),
        corrections=jnp.asarray(corrections),
        weights=jnp.asarray(weights),
        rest_joints=jnp.asarray(regressor @ rest),
        joint_shapes=jnp.asarray(np.einsum("jv,vab->jab", regressor, directions)),
        parents=(-1, *(int(p) for p in parents[1:])),
    )
    return surface, VERTEX_COUNT.get(count)


def _arrays(path: Path) -> dict[str, Any]:
    """The arrays that matter; SMPL-X's files also hold pickled objects, which stay closed."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in ARRAYS if name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(f"{path} is not an .npz of plain arrays ({error})") from error
