"""The learned way to joint angles: windows of markers through the inverse kinematics transformer, and the body that comes out."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.spatial.transform import Rotation

from monomsk.kinematics import trajectories
from monomsk.kinematics.transformer import Cloud, KinematicsTransformer, Posture, sized
from monomsk.model.anatomy import Anatomy
from monomsk.model.model import Model
from monomsk.model.sides import ACROSS, mirror_order
from monomsk.spatial import rotation
from monomsk.types import Markers, Subject
from monomsk.windowing import batches, between, blended, stride_of, windows_of

LEAST_SIGMA = 1e-3
"""No marker is surer than this [statures]."""


@dataclass(frozen=True)
class Belief:
    """What the network makes of markers: coordinates of a model in every frame, how sure, and the sizes of its body."""

    q: Float[np.ndarray, "time nq"]
    """[rad, m], ground frame."""
    sigma: Float[np.ndarray, "time nq"]
    """Standard deviations [rad]; inf where the network says nothing."""
    lengths: Float[np.ndarray, " segment"]
    """Logarithms of the scales of the anatomy's segments on the model."""
    factors: Float[np.ndarray, "body 3"]


def believe(markers: Markers, subject: Subject, network: KinematicsTransformer, model: Model, anatomy: Anatomy) -> Belief:
    """Coordinates of a generic model (its markers `head_top`, `sole_r`, `hip_r`, `hip_l`) from markers in the ground frame.

    Coordinates that the network does not know keep their default; all stay within the model's ranges.
    """
    stride = stride_of(1.0 / float(markers.time[1] - markers.time[0]))
    thin, time = markers.time[::stride], markers.time
    R, joints, log_sigma, lengths = postures(network, cloud_of(markers, subject, network, stride))
    q = np.tile(np.asarray(model.coordinate_default), (len(time), 1))
    sigma = np.full(q.shape, np.inf)
    smooth, spread = between(joints, thin, time), np.exp(between(log_sigma, thin, time))
    for k, name in enumerate(network.joints):
        if name in model.coordinate_names and (i := model.coordinate_names.index(name)) in model.free:
            low, high = np.asarray(model.coordinate_range)[i]
            q[:, i] = np.clip(smooth[:, k], low, high)
            sigma[:, i] = spread[:, 3 + k]
    turn = _orthonormal(between(R, thin, time))
    root = list(model.root)
    q[:, root[:3]] = np.unwrap(np.asarray(rotation.zxy(jnp.asarray(turn))), axis=0)
    sigma[:, root[:3]] = spread[:, :3]
    _, segments = anatomy.segments_of(model)
    known = np.array([lengths[network.segments.index(n)] if n in network.segments else 0.0 for n in segments.names])
    ends = model.marker_names.index("head_top"), model.marker_names.index("sole_r")
    person, factors = sized(model, segments, ends, jnp.asarray(known), jnp.asarray(subject.height))
    q[:, root[3:]] = 0.0
    pair = [model.marker_names.index(f"hip_{side}") for side in "rl"]
    hips = trajectories.in_chunks(trajectories.marker_trajectories, person, q)[:, pair].mean(1)
    q[:, root[3:]] = _middle_of_hips(markers) - hips
    common = float(np.mean(np.log(np.asarray(factors)) - np.log(np.asarray(segments.factors(model, jnp.asarray(known))))))
    return Belief(q, sigma, known + common, np.asarray(factors))


def _middle_of_hips(markers: Markers) -> Float[np.ndarray, "time 3"]:
    return 0.5 * (markers.xyz[:, markers.names.index("hip_r")] + markers.xyz[:, markers.names.index("hip_l")])


def cloud_of(markers: Markers, subject: Subject, network: KinematicsTransformer, stride: int = 1) -> Cloud:
    """Markers in the network's order about the middle of the hips, in statures, every `stride`-th frame; others are not seen."""
    middle = _middle_of_hips(markers)
    count = len(markers.time)
    xyz, sigma = np.zeros((count, len(network.markers), 3), np.float32), np.ones((count, len(network.markers)), np.float32)
    seen = np.zeros(sigma.shape, bool)
    for k, name in enumerate(network.markers):
        if name in markers.names:
            i = markers.names.index(name)
            seen[:, k] = np.isfinite(markers.sigma[:, i]) & np.isfinite(markers.xyz[:, i]).all(-1)
            xyz[:, k] = np.where(seen[:, k, None], (markers.xyz[:, i] - middle) / subject.height, 0.0)
            sigma[:, k] = np.where(seen[:, k], np.maximum(markers.sigma[:, i] / subject.height, LEAST_SIGMA), 1.0)
    over_time = {
        "time": (markers.time - markers.time[0]).astype(np.float32),
        "xyz": xyz,
        "sigma": sigma,
        "seen": seen,
        "floor": (middle[:, 1] / subject.height).astype(np.float32),
    }
    fields: dict[str, Any] = {name: value[::stride] for name, value in over_time.items()}
    return Cloud(**fields, height=jnp.float32(subject.height), mass=jnp.float32(subject.mass))


def postures(
    network: KinematicsTransformer, cloud: Cloud
) -> tuple[
    Float[np.ndarray, "time 3 3"], Float[np.ndarray, "time joint"], Float[np.ndarray, "time coordinate"], Float[np.ndarray, " segment"]
]:
    """Pelvis rotations, joint angles, logarithms of their sigmas, and segment lengths, of a cloud of any length."""
    windows = windows_of(len(cloud.time))
    parts = [_run(network, part) for part in batches(cloud, windows, ("height", "mass"))]
    R, joints, log_sigma, lengths = (np.concatenate([np.asarray(p[i]) for p in parts])[: len(windows.frame)] for i in range(4))
    weight = windows.share.sum(1)
    mean = (lengths * weight[:, None]).sum(0) / weight.sum()
    return _orthonormal(blended(R, windows)), blended(joints, windows), blended(log_sigma, windows), mean


@eqx.filter_jit
def _run(network: KinematicsTransformer, cloud: Cloud) -> tuple[Array, ...]:
    """Windows, each as it is and in the mirror; the mean of both."""
    plain = network(cloud)
    order, flip = jnp.array(mirror_order(network.markers)), jnp.array([-1.0, 1.0, 1.0], jnp.float32)
    other = unmirrored(
        network, network(cloud._replace(xyz=cloud.xyz[:, :, order] * flip, sigma=cloud.sigma[:, :, order], seen=cloud.seen[:, :, order]))
    )
    return tuple(0.5 * (a + b) for a, b in zip(plain, other, strict=True))


def unmirrored(network: KinematicsTransformer, posture: Posture) -> Posture:
    """The posture of which this one is the mirror image, X being what the mirror turned round."""
    order = jnp.array(mirror_order(network.joints))
    sign = jnp.array([-1.0 if n in ACROSS else 1.0 for n in network.joints], jnp.float32)
    space, body = jnp.array([-1.0, 1.0, 1.0], jnp.float32), jnp.array([1.0, 1.0, -1.0], jnp.float32)
    return Posture(
        R_frame_pelvis=space[:, None] * posture.R_frame_pelvis * body,
        joints=posture.joints[..., order] * sign,
        log_sigma=jnp.concatenate([posture.log_sigma[..., :3], posture.log_sigma[..., 3:][..., order]], -1),
        lengths=posture.lengths,
    )


def _orthonormal(R: Float[np.ndarray, "time 3 3"]) -> Float[np.ndarray, "time 3 3"]:
    """The nearest rotations."""
    return Rotation.from_matrix(R).as_matrix()
