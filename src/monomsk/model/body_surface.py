"""A body mesh that follows parameters: linear blend skinning with shape and pose corrections (Loper et al. 2015, SMPL)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class BodySurface(eqx.Module):
    """SMPL, SMPL-X, or any other model of their kind. The rest pose stands upright, Y up [m]."""

    rest: Float[Array, "vertex 3"]
    shapes: Float[Array, "vertex 3 beta"]
    corrections: Float[Array, "vertex 3 feature"]
    """By the entries of the rotation matrices of all joints but the root, less the identity."""
    weights: Float[Array, "vertex joint"]
    rest_joints: Float[Array, "joint 3"]
    joint_shapes: Float[Array, "joint 3 beta"]
    parents: tuple[int, ...] = eqx.field(static=True)
    """Of each joint, which come before it; −1 for the root."""


def posed(
    surface: BodySurface,
    rotations: Float[Array, "joint 3 3"],
    shape: Float[Array, " beta"],
    translation: Float[Array, "3"],
) -> tuple[Float[Array, "vertex 3"], Float[Array, "joint 3"]]:
    """Vertices and joints of one frame [m], in the axes in which the root's rotation and the translation are given.

    Rotations are relative to the parents. Equals the rest pose of the shape, moved, where all rotations are the identity.
    """
    joints = surface.rest_joints + surface.joint_shapes @ shape
    feature = (rotations[1:] - jnp.eye(3)).ravel()
    local = surface.rest + surface.shapes @ shape + surface.corrections @ feature
    R, p = [rotations[0]], [joints[0]]
    for i, parent in enumerate(surface.parents[1:], start=1):
        R.append(R[parent] @ rotations[i])
        p.append(p[parent] + R[parent] @ (joints[i] - joints[parent]))
    turned, places = jnp.stack(R), jnp.stack(p)
    offsets = places - jnp.einsum("jab,jb->ja", turned, joints)
    blended = jnp.einsum("vj,jab->vab", surface.weights, turned)
    vertices = jnp.einsum("vab,vb->va", blended, local) + surface.weights @ offsets
    return vertices + translation, places + translation


@eqx.filter_jit
def posed_frames(
    surface: BodySurface,
    rotations: Float[Array, "frame joint 3 3"],
    shapes: Float[Array, "frame beta"],
    translations: Float[Array, "frame 3"],
) -> tuple[Float[Array, "frame vertex 3"], Float[Array, "frame joint 3"]]:
    """`posed`, frame by frame."""
    return jax.vmap(posed, in_axes=(None, 0, 0, 0))(surface, rotations, shapes, translations)


def thinned(surface: BodySurface, vertices: tuple[int, ...]) -> BodySurface:
    """The same body with these vertices alone."""
    rows = jnp.array(vertices)
    kept = (surface.rest[rows], surface.shapes[rows], surface.corrections[rows], surface.weights[rows])
    return eqx.tree_at(lambda s: (s.rest, s.shapes, s.corrections, s.weights), surface, kept)
