"""Markers from a recovered body mesh: its points take the place of the estimator's own guess of depth.

Pixels stay those of the keypoints; the mesh says how the points of the body lie relative to each other. Meshes come in
metres of a body of the program's choice, at a distance that follows from the focal length that it assumed: neither is
believed. The body is brought to the stated stature, and put where the keypoints are, through the clip's own camera.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from monomsk.errors import FormatError
from monomsk.markers.lift import lift
from monomsk.mesh_track import JOINTS, VERTICES, MeshTrack
from monomsk.model.body_surface import BodySurface, posed_frames, thinned
from monomsk.types import Camera, Clip, Keypoints, Markers, Subject

LONGEST_GAP = 0.2
"""Longest time without the mesh that is bridged [s]."""
MESH_SIGMA = 0.05
"""Of a mesh's points relative to the hips, per axis [m]: the published mean errors are 50 to 80 mm over the three axes."""
DOWN_SIGMA = np.radians(5.0)
"""Of gravity that the program saw [rad]; ours, a cautious figure."""
MIDDLES = {"knee": ("LFC", "MFC"), "ankle": ("LMAL", "MMAL"), "elbow": ("LEL", "MEL"), "wrist": ("FAradius", "FAulna")}
"""Joints that lie midway between two markers."""


def mesh_points(track: MeshTrack) -> dict[str, Float[np.ndarray, "frame 3"]]:
    """Keypoints and anatomical markers by name, axes of the camera [m].

    Joints of the file come first, then vertices, then joint centres from markers: hips after Harrington et al. (2007), shoulders
    after Rab et al. (2002), the others midway. Raises FormatError when the file has parameters of a body alone.
    """
    found = {} if track.joints is None else {n: track.joints[:, k] for k, n in enumerate(track.names) if n}
    if track.vertices is not None and track.topology in VERTICES:
        at = {name: track.vertices[:, k] for name, k in VERTICES[track.topology].items()}
        found = {**at, **_centres(at), **found}
    if not found:
        raise FormatError(
            f"the {track.source} file has angles and shape of a body, but neither joints nor vertices: "
            "give your own SMPL or SMPL-X file with --body-model, or save the joints as .npz (docs/mesh.md says how)"
        )
    return found


def with_surface(track: MeshTrack, surface: BodySurface, topology: str | None) -> MeshTrack:
    """The track with the joints that its parameters give the user's own body model, and the published vertices as joints too.

    Raises FormatError when the parameters are of another body than the model.
    """
    if track.rotations is None or track.shape is None or track.translation is None:
        raise FormatError(f"the {track.source} file has no rotations that a body model of the SMPL family could follow")
    if topology != track.topology:
        raise FormatError(f"the {track.source} file needs a body model of {track.topology}, not of {topology or 'an unknown body'}")
    count, given = len(surface.parents), track.rotations.shape[1]
    R = np.tile(np.eye(3), (len(track.frame), max(count, given), 1, 1))
    R[:, :given] = Rotation.from_rotvec(track.rotations.reshape(-1, 3)).as_matrix().reshape(-1, given, 3, 3)
    ids = VERTICES.get(track.topology or "", {})
    shape = np.broadcast_to(track.shape, (len(track.frame), track.shape.shape[-1]))
    arrays = (jnp.asarray(a) for a in (R[:, :count], shape, track.translation))
    vertices, joints = posed_frames(thinned(surface, tuple(ids.values())), *arrays)
    names = (*JOINTS["smpl"], *ids)
    points = np.concatenate([np.asarray(joints)[:, : len(JOINTS["smpl"])], np.asarray(vertices)], 1)
    return replace(track, names=names, joints=points, vertices=None)


def lift_mesh(keypoints: Keypoints, track: MeshTrack, clip: Clip, camera: Camera, subject: Subject) -> tuple[Markers, Camera, Keypoints]:
    """Markers in the ground frame: one a keypoint, on its ray, at the mesh's depth; after them the mesh's anatomical markers.

    Keypoints that the mesh has no point for, and frames without the mesh, are missing. Also the camera placed, and the
    keypoints with the mesh's depth for their own. Raises FormatError for a file without points or of another video, and what `lift` raises.
    """
    points = mesh_points(track)
    missing = [n for n in ("hip_r", "hip_l", "shoulder_r", "shoulder_l") if n not in points]
    if missing:
        raise FormatError(f"the {track.source} file has no {', '.join(missing)}: hips and shoulders are needed")
    names, extra = keypoints.names, tuple(n for n in points if n not in keypoints.names)
    values = _on_grid(np.stack(list(points.values()), 1), track, clip)
    column = {name: k for k, name in enumerate(points)}
    root = 0.5 * (values[:, column["hip_r"]] + values[:, column["hip_l"]])
    values = values - root[:, None]
    unknown = np.zeros((len(values), 3))
    known = np.array([name in column for name in names])
    depth = np.stack([values[:, column[n]] if n in column else unknown for n in names], 1)
    here = np.asarray(np.isfinite(depth).all((1, 2)))
    sigma = np.where(here[:, None], keypoints.sigma, np.inf)
    guided = replace(keypoints, depth=np.where(here[:, None, None], depth, 0.0), sigma=np.where(known, sigma, np.inf))
    if camera.gravity_source == "prior" and track.down is not None:
        camera = replace(camera, gravity=track.down, gravity_sigma=float(DOWN_SIGMA), gravity_source="mesh")
    markers, placed = lift(guided, camera, subject)
    return _joined(markers, values, depth, column, extra), placed, replace(guided, sigma=sigma)


def _joined(
    markers: Markers,
    values: Float[np.ndarray, "time point 3"],
    depth: Float[np.ndarray, "time keypoint 3"],
    column: dict[str, int],
    extra: tuple[str, ...],
) -> Markers:
    """The lifted keypoints, and the mesh's other points by the similarity that takes the mesh's keypoints to them, frame by frame."""
    good = np.isfinite(markers.sigma)
    xyz = np.full((len(values), len(extra), 3), np.nan)
    for t in np.flatnonzero((good.sum(1) >= 6) & np.isfinite(values).all((1, 2))):
        a, b = depth[t, good[t]], markers.xyz[t, good[t]]
        ca, cb = a - a.mean(0), b - b.mean(0)
        u, s, vt = np.linalg.svd(ca.T @ cb)
        sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
        R, scale = (u * sign) @ vt, float((s * sign).sum() / max((ca**2).sum(), 1e-12))
        xyz[t] = scale * (values[t, [column[n] for n in extra]] - a.mean(0)) @ R + b.mean(0)
    seen = np.isfinite(xyz).all(-1)
    sigma = np.concatenate([np.where(good, MESH_SIGMA, np.inf), np.where(seen, MESH_SIGMA, np.inf)], 1)
    return Markers(markers.time, (*markers.names, *extra), np.concatenate([markers.xyz, xyz], 1), sigma)


def _on_grid(points: Float[np.ndarray, "frame point 3"], track: MeshTrack, clip: Clip) -> Float[np.ndarray, "time point 3"]:
    """Points at the times of the clip, straight between frames; NaN where the mesh is missing for long."""
    row = track.frame - clip.frame_index[0]
    inside = np.flatnonzero((row >= 0) & (row < len(clip.frame_time)) & np.isfinite(points).all((1, 2)))
    if len(inside) < max(2, 0.1 * len(clip.frame_time)):
        raise FormatError(
            f"the {track.source} file shows person {track.person} in {len(inside)} of the {len(clip.frame_time)} frames: "
            "does it belong to this video?"
        )
    known, flat = clip.frame_time[row[inside]], points[inside].reshape(len(inside), -1)
    out = np.stack([np.interp(clip.time, known, values) for values in flat.T], -1).reshape(len(clip.time), *points.shape[1:])
    after = known[np.clip(np.searchsorted(known, clip.time), 0, len(known) - 1)]
    before = known[np.clip(np.searchsorted(known, clip.time, side="right") - 1, 0, len(known) - 1)]
    reach = 0.51 * float(np.median(np.diff(clip.frame_time)))
    gone = (after - before > LONGEST_GAP) | (clip.time < known[0] - reach) | (clip.time > known[-1] + reach)
    out[gone] = np.nan
    return out


def _centres(at: dict[str, Float[np.ndarray, "frame 3"]]) -> dict[str, Float[np.ndarray, "frame 3"]]:
    """Joint centres from markers on the skin."""
    found = {f"{joint}_{s.lower()}": 0.5 * (at[s + a] + at[s + b]) for joint, (a, b) in MIDDLES.items() for s in "RL"}
    front, back = 0.5 * (at["RASI"] + at["LASI"]), 0.5 * (at["RPSI"] + at["LPSI"])
    right, width = _unit(at["RASI"] - at["LASI"])
    forward, depth = _unit(front - back - right * np.sum((front - back) * right, -1, keepdims=True))
    up = np.cross(right, forward)
    shoulders, breadth = _unit(at["RACR"] - at["LACR"])
    down, _ = _unit(front + back - at["RACR"] - at["LACR"])
    down, _ = _unit(down - shoulders * np.sum(down * shoulders, -1, keepdims=True))
    for side, sign in (("r", 1.0), ("l", -1.0)):
        # Harrington et al. (2007), from the middle of the front spines: back, down and outwards [m].
        out = right * sign * (0.33 * width + 0.0073)
        found[f"hip_{side}"] = front - forward * (0.24 * depth + 0.0099) - up * (0.30 * width + 0.0109) + out
        # Rab et al. (2002): 17 % of the distance between the acromia below them.
        found[f"shoulder_{side}"] = at[f"{side.upper()}ACR"] + 0.17 * breadth * down
    return found


def _unit(v: Float[np.ndarray, "frame 3"]) -> tuple[Float[np.ndarray, "frame 3"], Float[np.ndarray, "frame 1"]]:
    length = np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
    return v / length, length
